// The truth, where it is known: outlines of the true regions, and the heat inside them alone.

const DASH = [7, 5]; // CSS pixels, at any zoom

async function loadMasks(described) {
  const load = async ({ label, top, url }) => {
    const outline = new TextDecoder().decode(await fetchBytes(url));
    return { label, top, outline: new Path2D(outline) };
  };
  return Promise.all(described.map(load));
}

function truthOnScreen(pane) {
  const { placement } = pane;
  const whole = new Path2D();
  for (const mask of pane.masks) whole.addPath(mask.outline, placement);
  return whole;
}

// White dashes on a black line: on no colour map, on bright bone and dark lung, and told by its shape.
function drawTruth(context, pane) {
  const line = truthOnScreen(pane);
  context.lineJoin = "round";
  context.strokeStyle = "#000000";
  context.lineWidth = 3.5;
  context.stroke(line);
  context.setLineDash(DASH);
  context.strokeStyle = "#ffffff";
  context.lineWidth = 2;
  context.stroke(line);
  context.setLineDash([]);
  if (pane.masks.length > 1) pane.masks.forEach((mask) => nameMask(context, pane, mask));
}

function nameMask(context, pane, { label, top }) {
  context.font = "12px system-ui, sans-serif";
  const wide = context.measureText(label).width + 10;
  const [x, y] = pane.toScreen(...top);
  const left = clamp(x - wide / 2, 2, pane.box.width - wide - 2);
  const above = clamp(y - 22, 2, pane.box.height - 20);
  context.fillStyle = "rgb(11 13 16 / 80%)";
  context.fillRect(left, above, wide, 18);
  context.fillStyle = "#ffffff";
  context.fillText(label, left + 5, above + 13);
}

class TruthLegend {
  constructor(parent) {
    this.root = element("div", "legend truth-legend", parent);
    element("span", "truth-line", this.root, { "aria-hidden": "true" });
    this.text = element("span", "", this.root);
  }

  show(pane, { truth, overlap }, prefix) {
    const { masks, heat } = pane;
    this.root.hidden = !(truth && masks.length) && !pane.masksMessage;
    if (this.root.hidden) return;
    const names = masks.map((mask) => mask.label).join(", ");
    const only = overlap && heat ? "; heat shown inside it only" : "";
    this.text.textContent = pane.masksMessage || `${prefix}Truth: ${names}${only}`;
  }
}
