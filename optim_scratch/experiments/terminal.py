"""What reaches the terminal: only what can be printed, and never at the cost of a run."""


def shown(text: str) -> str:
    r"""Return a text from elsewhere as it may be printed.

    A terminal obeys what it is sent: a file's name can move its cursor, rename its window or hide
    what stands before.

    Parameters
    ----------
    text : str
        A name, or a message that holds one.

    Returns
    -------
    str
        The same, with what cannot be printed (controls, line ends, halves of a pair of UTF-16)
        written as Python would, and ellipses for more than 1,000 characters.

    Examples
    --------
    >>> print(shown("cat\x1b[2J.png"))
    cat\x1b[2J.png
    """
    if len(text) > 1000:
        text = f"{text[:600]}…{text[-300:]}"
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
