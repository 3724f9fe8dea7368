"""What a page looks like, measured in the browser: where text lies, how large it is, who has focus.

Measures and says what is wrong; a test decides.
"""

from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page


SMALLEST = 12  # CSS pixels, of any text
_AXE = Axe()
# All tags axe-core has for WCAG 2.0 to 2.2 A and AA, and its own best practices.
_RULES = {"resultTypes": ["violations"], "runOnly": {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}}  # fmt: skip

# Every text that is shown: what is too small, lies outside the window, or is cut off by a box
# that nobody can scroll. Text for screen readers alone is one pixel large and is left out.
_MEASURE = """(smallest) => {
  const wrong = [];
  const root = document.scrollingElement;
  if (root.scrollWidth > root.clientWidth)
    wrong.push(`the page scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const text = node.data.trim(), element = node.parentElement;
    if (!text || !element.checkVisibility({visibilityProperty: true, opacityProperty: true}))
      continue;
    if (element.closest('script, style, template, title, desc')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter(box => box.width > 0);
    if (!boxes.length) continue;
    const hidden = element.closest('.usa-sr-only, .usa-skipnav, .skip');
    if (hidden) continue;
    const say = what => wrong.push(`${what}: ${text.slice(0, 60)} <${element.tagName}>`);
    const scale = element.getScreenCTM ? element.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < smallest - 0.01) say(`${size.toFixed(1)} px`);
    const right = Math.max(...boxes.map(box => box.right));
    const left = Math.min(...boxes.map(box => box.left));
    const top = Math.min(...boxes.map(box => box.top));
    const bottom = Math.max(...boxes.map(box => box.bottom));
    let scrolled = false;
    for (let box = element; box && box !== document.documentElement; box = box.parentElement) {
      const style = getComputedStyle(box), edge = box.getBoundingClientRect();
      if (['auto', 'scroll'].includes(style.overflowX)) { scrolled = true; break; }
      if (['hidden', 'clip'].includes(style.overflowX) && box !== document.body
          && (right > edge.right + 1 || left < edge.left - 1)) say('cut off at its side');
      if (['hidden', 'clip'].includes(style.overflowY) && box !== document.body
          && (bottom > edge.bottom + 2 || top < edge.top - 2)) say('cut off below');
    }
    if (!scrolled && (right > innerWidth + 1 || left < -1)) say('outside of the window');
    for (const word of node.data.matchAll(/[\\p{L}\\p{N}]{2,13}/gu)) {
      const one = document.createRange();
      one.setStart(node, word.index);
      one.setEnd(node, word.index + word[0].length);
      const lines = new Set([...one.getClientRects()].map(box => Math.round(box.top)));
      const before = node.data[word.index - 1] || ' ';
      const after = node.data[word.index + word[0].length] || ' ';
      if (lines.size > 1 && /[\\s(]/.test(before) && /[\\s,.;:)]/.test(after))
        say(`broken within "${word[0]}"`);
    }
  }
  const controls = 'input:not([type=hidden]), button, select, summary';
  for (const box of document.querySelectorAll(controls)) {
    if (!box.checkVisibility() || box.classList.contains('usa-radio__input')) continue;
    const edge = box.getBoundingClientRect();
    if (edge.right > innerWidth + 1 && !box.closest('.scroll'))
      wrong.push(`outside of the window: control ${box.id || box.textContent}`);
  }
  return [...new Set(wrong)];
}"""

# What the Tab key stops at: everything that can have the focus; of a group of radio buttons one.
_STOPS = """() => {
  const seen = new Set(), found = [];
  const of = 'a[href], button, input, select, textarea, summary, iframe, [tabindex]';
  for (const one of document.querySelectorAll(of)) {
    if (one.type === 'hidden' || one.disabled || one.tabIndex < 0) continue;
    if (!one.checkVisibility()) continue;
    if (one.matches('.scroll') && one.scrollWidth <= one.clientWidth && one.tabIndex < 0) continue;
    if (one.type === 'radio') {
      if (seen.has(one.name)) continue;
      seen.add(one.name);
      const group = [...document.getElementsByName(one.name)];
      found.push(group.find(other => other.checked) || one);
    } else found.push(one);
  }
  found.forEach((one, number) => { one.dataset.stop = number; });
  return found.length;
}"""

# Of the element that has the focus: its number, whether a sign of that can be seen, whether any
# part of it is in the window and not under something that stays in place.
_FOCUSED = """async () => {
  const frame = () => new Promise(done => requestAnimationFrame(done));
  await frame();
  await frame();  // scrolled to where the focus is
  await Promise.all(document.getAnimations().map(one => one.finished));
  const one = document.activeElement;
  if (!one || one === document.body || one.dataset.stop === undefined) return null;
  const outlined = (element, part) => {
    const style = getComputedStyle(element, part);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  };
  const label = one.labels && one.labels[0];
  const marked = outlined(one) || (label && (outlined(label) || outlined(label, '::before')));
  const drawn = one.classList.contains('usa-radio__input') ? label : one;
  const edge = drawn.getBoundingClientRect();
  const inside = (x, y) => {
    const hit = document.elementFromPoint(x, y);
    return hit && (drawn.contains(hit) || hit.contains(drawn));
  };
  const spots = [];
  for (const part of [0.1, 0.3, 0.5, 0.7, 0.9])
    spots.push([edge.left + Math.min(edge.width, innerWidth) / 2, edge.top + edge.height * part]);
  return {
    number: Number(one.dataset.stop),
    name: (one.id || one.textContent || one.getAttribute('aria-label')).trim().slice(0, 60),
    marked: Boolean(marked),
    inSight: spots.some(([x, y]) => inside(x, y)),
  };
}"""


def violations(page: Page) -> list[str]:
    """What axe-core finds, one line a place; of every frame of the page."""
    found = _AXE.run(page, options=_RULES).response["violations"]
    return [_line(rule, node) for rule in found for node in rule["nodes"]]


def _line(rule: dict[str, Any], node: dict[str, Any]) -> str:
    where = " ".join(map(str, node["target"]))
    return f"{rule['id']} ({rule['impact']}) at {where}: {node['html'][:120]}"


def misplaced(where: Page | Frame) -> list[str]:
    """Text that is too small, outside of the window, or cut off; a page that scrolls sideways."""
    found: list[str] = where.evaluate(_MEASURE, SMALLEST)
    return found


def tabbed(page: Page, key: str = "Tab") -> Iterator[dict[str, Any]]:
    """Press Tab from where the focus is to the end; each stop with what is seen of it.

    `key`: "Shift+Tab" goes back to the start.
    """
    for _ in range(stops(page) + 5):
        page.keyboard.press(key)
        found = page.evaluate(_FOCUSED)
        if found is None:
            return
        yield found


def stops(page: Page) -> int:
    """How many places the Tab key has to reach."""
    found: int = page.evaluate(_STOPS)
    return found
