"""The README as the package index shows it: what is relative to the repository is left out."""

import re
from pathlib import Path

from setuptools import setup

readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
# a picture, with the caption under it, then links: files of the repository have no address there
readme = re.sub(r"!\[[^]]*\]\((?!https?:)[^)]*\)\n\n\*[^*]+\*\n\n", "", readme)
readme = re.sub(r"\[([^]]+)\]\((?!https?:|#)[^)]*\)", r"\1", readme)

setup(long_description=readme, long_description_content_type="text/markdown")
