// Buttons of the comparison, above the others.

const PLAY = "M4.5 2.5v11l9-5.5z";
const PAUSE = "M5 3v10M11 3v10";

class CompareBar {
  constructor(viewer, parent) {
    this.viewer = viewer;
    this.root = element("div", "bar compare", parent, { role: "group", "aria-label": "Comparison" });
    this.addLayouts();
    this.addLinks();
    this.addBlink();
  }

  addLayouts() {
    const group = element("div", "group", this.root, { role: "group", "aria-label": "Layout" });
    this.layouts = {};
    for (const [name, [label, key, what]] of Object.entries(LAYOUTS)) {
      const title = `${label}: ${what} (${key})`;
      this.layouts[name] = textButton(group, label, title, () => this.viewer.useLayout(name));
    }
  }

  addLinks() {
    const { viewer } = this;
    const group = element("div", "group", this.root, { role: "group", "aria-label": "Linked display" });
    const align = "Align: lay the second image on the first as they were registered (A)";
    this.align = textButton(group, "Align", align, () => viewer.toggleAlign());
    const link = "Link window: one setting for both, relative to each image's own range; off: each its own (L)";
    this.link = textButton(group, "Link window", link, () => viewer.toggleLink());
  }

  addBlink() {
    const { viewer } = this;
    this.blink = element("div", "blink", this.root, { role: "group", "aria-label": "Blinking" });
    const buttons = element("div", "group", this.blink);
    this.play = iconButton(buttons, "play", "Play", "", () => viewer.togglePlay());
    const next = "Next image: pause and show the one that is not seen now (X)";
    textButton(buttons, "Next image", next, () => viewer.stepBlink());
    const scale = { ...SECONDS, unit: "s", times: 1 };
    const title = "Each for: seconds each image is shown";
    this.seconds = slider(this.blink, "Each for", title, (seconds) => viewer.change({ seconds }), scale);
  }

  show(view, compare, registered) {
    this.root.hidden = !compare;
    if (!compare) return;
    for (const [name, button] of Object.entries(this.layouts)) {
      button.setAttribute("aria-pressed", String(view.layout === name));
    }
    this.align.hidden = !registered;
    this.align.setAttribute("aria-pressed", String(view.align));
    this.link.setAttribute("aria-pressed", String(view.linkWindow));
    this.blink.hidden = view.layout !== "blink";
    const label = view.playing ? "Pause blinking" : "Play blinking";
    this.play.setAttribute("aria-label", label);
    this.play.title = `${label} (Space)`;
    this.play.querySelector("path").setAttribute("d", view.playing ? PAUSE : PLAY);
    this.seconds.show(view.seconds);
  }
}
