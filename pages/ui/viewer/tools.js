// Pointer and touch: what each tool does, and the marks it leaves (ruler, crop box).

const GRIP = 12; // CSS pixels around a handle that still count as the handle
const NEW_CROP = 8; // CSS pixels: a shorter drag outside the box is a click and makes no new box
const RULER_COLOUR = "#ffd54a";
const MIN_CROP = 16; // image pixels a side: what a network reads at the least

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function attachTools(viewer, pane) {
  const { canvas } = pane;
  const touches = new Map();
  let action = null;
  const position = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  const finish = (event, cancelled) => {
    touches.delete(event.pointerId);
    if (action) {
      action.end(cancelled);
      action = null;
      viewer.moving = false;
      viewer.refresh();
    }
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!pane.image || [1, 3, 4].includes(event.button)) return; // the middle one, back and forward
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    touches.set(event.pointerId, position(event));
    if (touches.size > 2) return;
    if (action) action.end(true);
    viewer.moving = true;
    const tool = event.button === 2 ? "window" : viewer.view.tool;
    action = touches.size === 2 ? pinch(viewer, pane, touches) : ACTIONS[tool](viewer, pane, position(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = position(event);
    pane.pointer = at;
    if (touches.has(event.pointerId)) touches.set(event.pointerId, at);
    if (action) action.move(at);
    else if (viewer.view.tool === "crop") canvas.style.cursor = cropCursor(pane, at);
    viewer.refresh();
  });
  canvas.addEventListener("pointerup", (event) => finish(event, false));
  canvas.addEventListener("pointercancel", (event) => finish(event, true));
  canvas.addEventListener("pointerleave", () => {
    pane.pointer = null;
    viewer.refresh();
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => {
    // With the others two quick clicks mean two places.
    if (["pan", "window"].includes(viewer.view.tool)) viewer.change({ zoom: 1, cx: 0.5, cy: 0.5 });
  });
  // On the stage, so that the divider that lies on the canvas zooms as well.
  pane.stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      viewer.zoomAt(pane, Math.exp(-clamp(event.deltaY, -200, 200) * 0.0016), position(event));
    },
    { passive: false },
  );
}

const ACTIONS = {
  pan: panAction,
  window: windowAction,
  ruler: rulerAction,
  crop: cropAction,
  mark: markAction,
};

function panAction(viewer, pane, start) {
  const [x, y] = pane.centre;
  return {
    move([px, py]) {
      viewer.centreOn(pane, x - (px - start[0]) / pane.scale, y - (py - start[1]) / pane.scale);
    },
    end() {},
  };
}

// Right: more contrast range; up: brighter, which is a lower centre.
function windowAction(viewer, pane, start) {
  const change = viewer.windowChange(viewer.paneAt(pane, start));
  return {
    move([px, py]) {
      change.to(windowMoved(change.from, px - start[0], brighter(viewer) * (py - start[1])));
    },
    end() {},
  };
}

// Up is brighter, also where black and white are swapped.
function brighter(viewer) {
  return viewer.view.invert ? -1 : 1;
}

// What a drag over so many CSS pixels makes of a window.
function windowMoved({ shift, stretch }, right, down) {
  return {
    stretch: clamp(stretch * Math.exp(right / 200), 0.005, 50),
    shift: clamp(shift + (down / 400) * Math.min(stretch, 2), -5, 5),
  };
}

function pinch(viewer, pane, touches) {
  const spread = () => {
    const [[ax, ay], [bx, by]] = [...touches.values()];
    return { length: Math.hypot(ax - bx, ay - by) || 1, middle: [(ax + bx) / 2, (ay + by) / 2] };
  };
  let before = spread();
  return {
    move() {
      if (touches.size < 2) return;
      const now = spread();
      const [x, y] = pane.centre;
      const dx = (now.middle[0] - before.middle[0]) / pane.scale;
      const dy = (now.middle[1] - before.middle[1]) / pane.scale;
      viewer.centreOn(pane, x - dx, y - dy);
      viewer.zoomAt(pane, now.length / before.length, now.middle);
      before = now;
    },
    end() {},
  };
}

// ---- ruler

function rulerAction(viewer, pane, start) {
  const measured = viewer.paneAt(pane, start);
  const from = measured.toImage(...start);
  const before = viewer.view.ruler;
  viewer.change({ ruler: null });
  return {
    move(at) {
      const { index, described } = measured;
      viewer.change({ ruler: { pane: index, image: described.image, from, to: measured.toImage(...at) } });
    },
    end(cancelled) {
      if (cancelled) viewer.change({ ruler: before });
    },
  };
}

function rulerText(pane) {
  const { from, to } = pane.viewer.view.ruler;
  const [row, column] = pane.described.spacing || [1, 1];
  const length = Math.hypot((to[0] - from[0]) * column, (to[1] - from[1]) * row);
  return `${length.toFixed(1)} ${pane.described.spacing ? "mm" : "px"}`;
}

function drawRuler(context, pane) {
  const { ruler } = pane.viewer.view;
  if (!ruler || ruler.pane !== pane.index) return;
  const [ax, ay] = pane.toScreen(...ruler.from);
  const [bx, by] = pane.toScreen(...ruler.to);
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [nx, ny] = [(-(by - ay) / length) * 6, ((bx - ax) / length) * 6];
  const line = new Path2D(
    `M${ax} ${ay}L${bx} ${by}M${ax - nx} ${ay - ny}L${ax + nx} ${ay + ny}M${bx - nx} ${by - ny}L${bx + nx} ${by + ny}`,
  );
  outlined(context, line, RULER_COLOUR);
  const text = rulerText(pane);
  context.font = "600 12px system-ui, sans-serif";
  const wide = context.measureText(text).width + 12;
  const x = clamp((ax + bx) / 2 + 8, 2, pane.box.width - wide - 2);
  const y = clamp((ay + by) / 2 - 26, 2, pane.box.height - 22);
  context.fillStyle = "rgb(11 13 16 / 80%)";
  context.fillRect(x, y, wide, 20);
  context.fillStyle = RULER_COLOUR;
  context.fillText(text, x + 6, y + 14);
}

function outlined(context, path, colour) {
  context.strokeStyle = "rgb(0 0 0 / 70%)";
  context.lineWidth = 3.5;
  context.stroke(path);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.stroke(path);
}

// ---- crop box

function cropOf(pane) {
  const { crop } = pane.viewer;
  return pane.viewer.canCrop && crop.pane === pane.index ? crop.box : null;
}

function handlePoints(pane, [left, top, right, bottom]) {
  const [x0, y0] = pane.toScreen(left, top);
  const [x1, y1] = pane.toScreen(right, bottom);
  const [xm, ym] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return { nw: [x0, y0], n: [xm, y0], ne: [x1, y0], e: [x1, ym], se: [x1, y1], s: [xm, y1], sw: [x0, y1], w: [x0, ym] };
}

function cropPart(pane, [px, py]) {
  const box = cropOf(pane);
  if (!box) return "new";
  const points = handlePoints(pane, box);
  const near = (name) => Math.hypot(points[name][0] - px, points[name][1] - py) <= GRIP;
  const handle = HANDLES.find(near);
  if (handle) return handle;
  const inside = px > points.nw[0] && px < points.se[0] && py > points.nw[1] && py < points.se[1];
  return inside ? "move" : "new";
}

function cropCursor(pane, at) {
  if (pane.index !== pane.viewer.crop.pane) return "not-allowed";
  const part = cropPart(pane, at);
  return { move: "move", new: "crosshair" }[part] || `${part}-resize`;
}

function cropAction(viewer, pane, start) {
  const idle = { move() {}, end() {} };
  if (pane.index !== viewer.crop.pane || !viewer.canCrop) return idle;
  const before = viewer.crop.box;
  const part = cropPart(pane, start);
  const origin = pane.toImage(...start);
  viewer.cropping = true;
  return {
    move(at) {
      const [dx, dy] = [at[0] - start[0], at[1] - start[1]];
      const trembled = part === "new" && Math.hypot(dx, dy) < NEW_CROP;
      viewer.crop.box = trembled ? before : movedCrop(pane, before, part, origin, pane.toImage(...at));
      viewer.refresh();
    },
    end(cancelled) {
      viewer.cropping = false;
      if (cancelled) viewer.crop.box = before;
      else if (String(viewer.crop.box) !== String(before)) viewer.sendCrop();
    },
  };
}

function movedCrop(pane, before, part, [fromX, fromY], [toX, toY]) {
  const { width, height } = pane.described;
  const [dx, dy] = [toX - fromX, toY - fromY];
  if (part === "move") {
    const x = Math.round(clamp(before[0] + dx, 0, width - (before[2] - before[0])));
    const y = Math.round(clamp(before[1] + dy, 0, height - (before[3] - before[1])));
    return [x, y, x + before[2] - before[0], y + before[3] - before[1]];
  }
  if (part === "new") {
    const [x0, x1] = stretched(fromX, toX, width);
    const [y0, y1] = stretched(fromY, toY, height);
    return [x0, y0, x1, y1];
  }
  const [leastX, leastY] = [Math.min(MIN_CROP, width), Math.min(MIN_CROP, height)];
  let [left, top, right, bottom] = before;
  if (part.includes("w")) left = clamp(Math.round(left + dx), 0, right - leastX);
  if (part.includes("e")) right = clamp(Math.round(right + dx), left + leastX, width);
  if (part.includes("n")) top = clamp(Math.round(top + dy), 0, bottom - leastY);
  if (part.includes("s")) bottom = clamp(Math.round(bottom + dy), top + leastY, height);
  return [left, top, right, bottom];
}

function stretched(from, to, size) {
  const least = Math.min(MIN_CROP, size);
  const low = clamp(Math.round(Math.min(from, to)), 0, size - least);
  return [low, clamp(Math.round(Math.max(from, to)), low + least, size)];
}

function drawCrop(context, pane) {
  const box = cropOf(pane);
  if (!box) return;
  const points = handlePoints(pane, box);
  const [x0, y0] = points.nw;
  const [wide, high] = [points.se[0] - x0, points.se[1] - y0];
  const outline = new Path2D();
  outline.rect(x0, y0, wide, high);
  if (pane.viewer.view.tool !== "crop") {
    outlined(context, outline, "#4dd0e1");
    return;
  }
  const shade = new Path2D(outline);
  shade.rect(0, 0, pane.box.width, pane.box.height);
  context.fillStyle = "rgb(0 0 0 / 45%)";
  context.fill(shade, "evenodd");
  outlined(context, outline, "#4dd0e1");
  const grips = new Path2D();
  for (const [x, y] of Object.values(points)) grips.rect(x - 4, y - 4, 8, 8);
  outlined(context, grips, "#4dd0e1");
  context.fillStyle = "#0b0d10";
  context.fill(grips);
}
