// Words of a page on a canvas, each where the page has it: so lines break where they do there, and end where they do.

/** A line that the page ends in an ellipsis, or may: how far it goes, how far it has come, whether the rest is cut. */
export interface Line {
  right: number;
  end: number;
  cut: boolean;
}

const ELLIPSIS = "…";

/** The line of an element whose text is longer than the element is wide; null where it is not. */
export function lineCutBy(node: HTMLElement, style: CSSStyleDeclaration, box: DOMRect): Line | null {
  if (style.textOverflow !== "ellipsis" || node.scrollWidth <= node.clientWidth) return null;
  return { right: box.right - (Number.parseFloat(style.paddingRight) || 0), end: box.left, cut: false };
}

/** Writes a text word by word; on a line that is cut, until that is full. */
export function writeText(
  context: CanvasRenderingContext2D,
  text: Text,
  style: CSSStyleDeclaration,
  line: Line | null,
): void {
  context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.fillStyle = style.color;
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  const range = document.createRange();
  for (const { 0: word, index } of text.data.matchAll(/\S+/g)) {
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = context.measureText(word);
    const y = box.top + (box.height - up - down) / 2 + up;
    const shown = line ? asFits(context, word, box, line) : { word, x: box.left };
    if (shown) context.fillText(shown.word, shown.x, y);
  }
}

/** As much of a word as leaves room for the ellipsis, which follows it where that is not all. */
function asFits(context: CanvasRenderingContext2D, word: string, box: DOMRect, line: Line) {
  if (line.cut) return null;
  const right = line.right - context.measureText(ELLIPSIS).width;
  if (box.right <= right) {
    line.end = box.right;
    return { word, x: box.left };
  }
  line.cut = true;
  const letters = [...word];
  while (letters.length > 0 && box.left + context.measureText(letters.join("")).width > right) letters.pop();
  return { word: letters.join("") + ELLIPSIS, x: letters.length > 0 ? box.left : line.end };
}
