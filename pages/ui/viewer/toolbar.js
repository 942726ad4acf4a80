// Buttons, sliders, keys and the help panel.

const ICONS = {
  pan: "M8 1.5v13M1.5 8h13M6 3.5l2-2 2 2M6 12.5l2 2 2-2M3.5 6l-2 2 2 2M12.5 6l2 2-2 2",
  window: "M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 1 0 0-12.4M8 1.8v12.4M8 4.5h4.8M8 7h6M8 9.5h5.8M8 12h4",
  ruler: "M1.5 11.5l10-10 3 3-10 10zM4 9l1.4 1.4M6.5 6.5l1.9 1.9M9 4l1.4 1.4",
  crop: "M4 1v11h11M1 4h11v11",
  mark: "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10M8 .5v5M8 10.5v5M.5 8h5M10.5 8h5",
  zoomOut: "M7 2a5 5 0 1 0 0 10a5 5 0 1 0 0-10M10.7 10.7l3.8 3.8M4.8 7h4.4",
  zoomIn: "M7 2a5 5 0 1 0 0 10a5 5 0 1 0 0-10M10.7 10.7l3.8 3.8M4.8 7h4.4M7 4.8v4.4",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  invert: "M2.5 2.5h11v11h-11zM2.5 13.5l11-11M9 13.5l4.5-4.5M5.5 13.5l8-8M12 13.5l1.5-1.5",
  reset: "M3 8a5 5 0 1 0 1.6-3.7M4.8 1.4v3.2H8",
  play: PLAY,
  help: "M5.6 6a2.4 2.4 0 1 1 3.6 2.1C8.4 8.6 8 9 8 10M8 12.4v.6",
};

const TOOLS = {
  pan: ["Pan", "P", "drag to move the image"],
  window: ["Window", "W", "drag left/right for contrast, up for brighter; the right mouse button always does this"],
  ruler: ["Ruler", "M", "drag to measure; millimetres are those of the file: at the detector, if it is not calibrated"],
  crop: ["Crop", "C", "drag the box, its handles, or outside it for a new box; changes what the model reads"],
  mark: ["Mark", "K", "click the place, or move the crosshair with the arrow keys and press Enter"],
};

const PRESETS = {
  file: "File window",
  robust: "Robust 1–99 %",
  full: "Full range",
  narrow: "Dark parts 3–60 %",
};

const KEYS = [
  ["P  W  M  C  K", "pan, window, ruler tool; crop and mark tool where the page has them"],
  ["+  −", "zoom in, out (or mouse wheel, pinch)"],
  ["0", "fit (or double click with the pan or window tool)"],
  ["Arrow keys", "move the image; with the window tool contrast and brightness; with the ruler and the mark tool a crosshair, with Shift in small steps"],
  ["Enter", "with the ruler sets one end, then the other; with the mark tool the mark"],
  ["I", "invert"],
  ["T  O", "outline of what is to be found, heat inside it only, where it is known"],
  ["R", "reset the display"],
  ["Esc", "remove the ruler, close this list"],
  ["Right drag", "window, whichever tool is chosen"],
  ["Two fingers", "zoom and move"],
];

function iconButton(parent, icon, label, title, action) {
  const button = element("button", "tool", parent, { type: "button", "aria-label": label, title });
  button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
  button.addEventListener("click", action);
  return button;
}

function textButton(parent, text, title, action) {
  const button = element("button", "tool wide", parent, { type: "button", "aria-label": title, title });
  button.textContent = text;
  button.addEventListener("click", action);
  return button;
}

function chooser(parent, label, options, action) {
  const select = element("select", "", parent, { "aria-label": label, title: label });
  for (const [value, text] of Object.entries(options)) element("option", "", select, { value }).textContent = text;
  select.addEventListener("change", () => action(select.value));
  return select;
}

const PERCENT = { least: 0, most: 1, step: 0.01, unit: "%", times: 100 };

function slider(parent, text, title, action, { least, most, step, unit, times } = PERCENT) {
  const label = element("label", "slider", parent, { title });
  element("span", "", label).textContent = text;
  const range = { min: least * times, max: most * times, step: step * times };
  const input = element("input", "", label, { type: "range", ...range, "aria-label": title });
  const output = element("output", "", label);
  input.addEventListener("input", () => action(input.value / times));
  return {
    show(value) {
      input.value = value * times;
      output.textContent = `${Number((value * times).toFixed(times === 1 ? 1 : 0))} ${unit}`;
      input.setAttribute("aria-valuetext", output.textContent);
    },
  };
}

class Toolbar {
  constructor(viewer, parent) {
    this.viewer = viewer;
    this.compare = new CompareBar(viewer, parent);
    this.main = element("div", "bar", parent, { role: "toolbar", "aria-label": "Image display" });
    this.addTools();
    this.addZoom();
    this.addWindow();
    this.addTruth();
    const rest = element("div", "group", this.main);
    iconButton(rest, "reset", "Reset display", "Reset zoom, window, heatmap display and ruler (R)", () => viewer.reset());
    this.helpButton = iconButton(rest, "help", "Keys and gestures", "Keys and gestures (?)", () => this.toggleHelp());
    this.addHeat(parent);
    this.addHelp(parent);
  }

  addTools() {
    const group = element("div", "group", this.main, { role: "group", "aria-label": "Tool" });
    this.tools = {};
    for (const [name, [label, key, what]] of Object.entries(TOOLS)) {
      const title = `${label}: ${what} (${key})`;
      this.tools[name] = iconButton(group, name, `${label} tool`, title, () => this.viewer.change({ tool: name }));
    }
  }

  addZoom() {
    const { viewer } = this;
    const group = element("div", "group", this.main, { role: "group", "aria-label": "Zoom" });
    iconButton(group, "zoomOut", "Zoom out", "Zoom out (−)", () => viewer.zoomBy(0.8));
    iconButton(group, "fit", "Fit", "Fit the image (0, or double click)", () => viewer.fit());
    iconButton(group, "zoomIn", "Zoom in", "Zoom in (+)", () => viewer.zoomBy(1.25));
  }

  addWindow() {
    const { viewer } = this;
    const group = element("div", "group", this.main, { role: "group", "aria-label": "Window" });
    this.preset = chooser(group, "Window preset", { ...PRESETS, custom: "Custom" }, (preset) => viewer.usePreset(preset));
    this.preset.querySelector("[value=custom]").disabled = true;
    this.invert = iconButton(group, "invert", "Invert", "Invert black and white (I)", () =>
      viewer.change({ invert: !viewer.view.invert }),
    );
  }

  addTruth() {
    const { viewer } = this;
    this.truthGroup = element("div", "group", this.main, { role: "group", "aria-label": "Truth" });
    this.truth = textButton(this.truthGroup, "Truth", "Truth: outline of what is really there (T)", () =>
      viewer.toggleTruth(),
    );
    this.overlap = textButton(this.truthGroup, "Overlap", "Overlap: heat inside the true outline only (O)", () =>
      viewer.toggleOverlap(),
    );
  }

  addHeat(parent) {
    const { viewer } = this;
    this.heat = element("div", "bar heat", parent, { role: "group", "aria-label": "Heatmap display" });
    this.opacity = slider(this.heat, "Heatmap", "Heatmap opacity", (opacity) => viewer.change({ opacity }));
    this.threshold = slider(this.heat, "Hide below", "Hide below (heatmap threshold): lower values are not drawn", (threshold) =>
      viewer.change({ threshold }),
    );
    const names = { turbo: "Turbo", magma: "Magma", viridis: "Viridis", gray: "Gray" };
    this.colours = chooser(this.heat, "Heatmap colours", names, (colours) => viewer.change({ colours }));
  }

  addHelp(parent) {
    this.help = element("div", "help", parent, { role: "region", "aria-label": "Keys and gestures" });
    this.help.hidden = true;
    this.addHelpRows(KEYS);
    this.compareHelp = this.addHelpRows(COMPARE_HELP);
  }

  addHelpRows(rows) {
    return rows.map(([keys, what]) => {
      const row = element("div", "", this.help);
      element("kbd", "", row).textContent = keys;
      element("span", "", row).textContent = what;
      return row;
    });
  }

  toggleHelp(open = this.help.hidden) {
    this.help.hidden = !open;
    this.helpButton.setAttribute("aria-expanded", String(open));
  }

  show(view, { crop, mark, heat, signed, truth, compare, registered }) {
    this.compare.show(view, compare, registered);
    for (const row of this.compareHelp) row.hidden = !compare;
    for (const [name, button] of Object.entries(this.tools)) {
      button.setAttribute("aria-pressed", String(view.tool === name));
    }
    this.tools.crop.hidden = !crop;
    this.tools.mark.hidden = !mark;
    this.heat.hidden = !heat;
    this.truthGroup.hidden = !truth;
    this.overlap.hidden = !heat;
    this.truth.setAttribute("aria-pressed", String(view.truth));
    this.overlap.setAttribute("aria-pressed", String(view.truth && view.overlap));
    this.invert.setAttribute("aria-pressed", String(view.invert));
    const asPreset = view.shift === 0 && view.stretch === 1 && Object.keys(view.own).length === 0;
    this.preset.value = asPreset ? view.preset : "custom";
    this.opacity.show(view.opacity);
    this.threshold.show(view.threshold);
    this.colours.value = view.colours;
    this.colours.hidden = signed;
  }
}

const STEP = 0.06; // of the visible part, for one press of an arrow key
const WINDOW_STEP = 20; // CSS pixels of a drag that one press stands for

const arrow = (right, down) => (viewer) => {
  if (viewer.view.tool !== "window") return viewer.nudge(STEP * right, STEP * down);
  const focused = viewer.root.getRootNode().activeElement;
  const pane = viewer.panes.find(({ canvas }) => canvas === focused) || viewer.panes[0];
  const change = viewer.windowChange(pane);
  return change.to(windowMoved(change.from, WINDOW_STEP * right, brighter(viewer) * WINDOW_STEP * down));
};

const KEY_ACTIONS = {
  p: (viewer) => viewer.change({ tool: "pan" }),
  w: (viewer) => viewer.change({ tool: "window" }),
  m: (viewer) => viewer.change({ tool: "ruler" }),
  c: (viewer) => viewer.canCrop && viewer.change({ tool: "crop" }),
  k: (viewer) => viewer.marker.enabled && viewer.change({ tool: "mark" }),
  i: (viewer) => viewer.change({ invert: !viewer.view.invert }),
  t: (viewer) => viewer.toggleTruth(),
  o: (viewer) => viewer.toggleOverlap(),
  r: (viewer) => viewer.reset(),
  0: (viewer) => viewer.fit(),
  "+": (viewer) => viewer.zoomBy(1.25),
  "=": (viewer) => viewer.zoomBy(1.25),
  "-": (viewer) => viewer.zoomBy(0.8),
  "?": (viewer) => viewer.toolbar.toggleHelp(),
  escape: (viewer) => viewer.escape(),
  arrowleft: arrow(-1, 0),
  arrowright: arrow(1, 0),
  arrowup: arrow(0, -1),
  arrowdown: arrow(0, 1),
};

// Streamlit reruns on R and clears its caches on C, so a key that the viewer takes must not reach the page.
function attachKeys(viewer, root) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === " " && event.target.tagName === "BUTTON") return;
    const key = event.key.toLowerCase();
    const action = viewer.marker.action(event) || viewer.rulerKeys.action(event) || KEY_ACTIONS[key] || (viewer.compare && COMPARE_KEYS[key]);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action(viewer);
  });
}
