// Two images compared: side by side, divided by a line that can be moved (swipe), or in turn in one place (blink).
// In swipe and blink the first pane's canvas shows both.

const LAYOUTS = {
  side: ["Side by side", "1", "both images beside each other, moved together"],
  swipe: ["Swipe", "2", "one place, the first image left of a line and the second right of it"],
  blink: ["Blink", "3", "one place, the two images in turn"],
};

const SECONDS = { least: 0.2, most: 2, step: 0.1 }; // at 0.2 s below three flashes a second, as WCAG 2.3.1 asks
const NARROWEST_TAG = 40; // CSS pixels
const SHORT_TAG = 136; // CSS pixels: below, the name stays on one line and is cut

const COMPARE_KEYS = {
  1: (viewer) => viewer.useLayout("side"),
  2: (viewer) => viewer.useLayout("swipe"),
  3: (viewer) => viewer.useLayout("blink"),
  a: (viewer) => viewer.toggleAlign(),
  l: (viewer) => viewer.toggleLink(),
  x: (viewer) => viewer.stepBlink(),
  " ": (viewer) => viewer.togglePlay(),
};

const COMPARE_HELP = [
  ["1  2  3", "side by side, swipe, blink"],
  ["Space  X", "play or pause blinking, pause and show the next image"],
  ["A", "align the second image with the first, where registered"],
  ["L", "one window setting for both, or each its own"],
  ["Tab, arrows", "move the line of swipe, once it has the focus; Home and End show one image alone"],
];

const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function besides(viewer, share) {
  const { width, height } = viewer.panes[0].box;
  const at = Math.round(share * width);
  const [left, right] = [new Path2D(), new Path2D()];
  left.rect(0, 0, at, height);
  right.rect(at, 0, width - at, height);
  return [left, right];
}

// The clock of blinking: one timer, and none where nothing blinks.
class Blink {
  constructor(viewer) {
    this.viewer = viewer;
    this.seconds = 0;
  }

  follow({ layout, playing, seconds }, compare) {
    const wanted = compare && layout === "blink" && playing ? seconds : 0;
    if (wanted === this.seconds) return;
    clearInterval(this.timer);
    this.seconds = wanted;
    const next = () => this.viewer.change({ shown: 1 - this.viewer.view.shown });
    if (wanted) this.timer = setInterval(next, wanted * 1000);
  }

  stop() {
    clearInterval(this.timer);
    this.seconds = 0;
  }
}

// The line between the two images of swipe: a slider for pointer, touch and keyboard.
class Divider {
  constructor(viewer, stage) {
    this.viewer = viewer;
    this.stage = stage;
    this.root = element("div", "divider", stage, {
      role: "slider",
      tabindex: "0",
      "aria-orientation": "horizontal",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
    });
    element("span", "divider-knob", this.root, { "aria-hidden": "true" }).innerHTML =
      '<svg viewBox="0 0 16 16"><path d="M5.5 4L1.5 8l4 4M10.5 4l4 4-4 4"/></svg>';
    this.attach();
  }

  attach() {
    const { root, viewer } = this;
    let grip = null; // where on the handle the pointer took it
    const centre = () => root.getBoundingClientRect().left + root.offsetWidth / 2;
    const release = () => {
      if (grip === null) return;
      grip = null;
      viewer.moving = false;
      viewer.refresh();
    };
    root.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      root.setPointerCapture(event.pointerId);
      grip = event.clientX - centre();
      viewer.moving = true;
    });
    root.addEventListener("pointermove", (event) => {
      if (grip === null) return;
      const frame = this.stage.getBoundingClientRect();
      this.move((event.clientX - grip - frame.left) / frame.width);
    });
    root.addEventListener("pointerup", release);
    root.addEventListener("pointercancel", release);
    root.addEventListener("dblclick", () => this.move(0.5));
    root.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { divider } = this.viewer.view;
    const step = event.shiftKey ? 0.1 : 0.02;
    const places = {
      ArrowLeft: divider - step,
      ArrowDown: divider - step,
      ArrowRight: divider + step,
      ArrowUp: divider + step,
      PageDown: divider - 0.1,
      PageUp: divider + 0.1,
      Home: 0,
      End: 1,
    };
    if (!(event.key in places)) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(places[event.key]);
  }

  move(share) {
    this.viewer.change({ divider: clamp(share, 0, 1) });
  }

  show({ layout, divider }, titles) {
    this.root.hidden = layout !== "swipe";
    if (this.root.hidden) return;
    this.root.style.left = `${divider * 100}%`;
    const percent = Math.round(divider * 100);
    this.root.setAttribute("aria-label", `Dividing line: ${titles[0]} left of it, ${titles[1]} right of it`);
    this.root.setAttribute("aria-valuenow", String(percent));
    this.root.setAttribute("aria-valuetext", `${percent} % ${titles[0]}`);
  }
}

// The images' names on the canvas: the first's left on dark, the second's on light, and right where they share it.
class Tags {
  constructor(stage) {
    this.root = element("div", "tags", stage);
    this.tags = ["first", "second"].map((name) => element("span", `tag ${name}`, this.root));
  }

  show(viewer, pane) {
    this.root.hidden = !viewer.compare;
    if (this.root.hidden) return;
    const { layout, divider, shown } = viewer.view;
    const width = pane.box.width;
    const room = { side: [width, width], swipe: [divider * width, (1 - divider) * width], blink: [width, width] }[layout];
    const seen = { side: pane.index, swipe: null, blink: shown }[layout];
    this.tags.forEach((tag, index) => {
      tag.textContent = viewer.panes[index].described.title;
      tag.hidden = (seen !== null && seen !== index) || room[index] < NARROWEST_TAG;
      tag.classList.toggle("short", room[index] < SHORT_TAG);
      tag.style.maxWidth = `${Math.max(room[index] - 16, 0)}px`;
    });
  }
}
