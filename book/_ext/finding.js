// How search weighs what it finds; Sphinx puts this at the head of its own search program.
var Scorer = {
  // [page, title, anchor, description of an object, score, file]
  score: ([page, , anchor, object, score]) => {
    if (object !== null || page.startsWith("book/reference/api")) return score * 0.2;
    if (page.startsWith("book/reference/")) return score * 0.7;
    if (page.startsWith("book/practice/")) return score * 0.4;
    return score * (anchor ? 1 : 1.2); // a chapter before its sections
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

// A result's extract shows a formula as it is read, once: not its MathML beside it.
queueMicrotask(() => {
  const toText = Search.htmlToText;
  const twice = /<span class="katex-mathml">.*?<\/math><\/span>|\u200b/gs;
  Search.htmlToText = (html, anchor) => toText(html.replace(twice, ""), anchor);
});
