// Wide code and tables scroll; with this, they scroll by the keyboard too.
function makeFocusable() {
  for (const each of document.querySelectorAll("pre > code, .md-typeset__scrollwrap")) {
    each.tabIndex = 0;
  }
}
makeFocusable();
new MutationObserver(makeFocusable).observe(document.body, { childList: true, subtree: true });
