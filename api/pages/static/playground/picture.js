// A picture as input: dropped, chosen, drawn as a sample, or given by its address.

import { one, say } from "../dom.js";

const ADVICE = "Drop a picture here, or choose one: PNG, JPEG, WebP or GIF.";

export class Picture {
  file = null;

  constructor(changed) {
    this.changed = changed;
    this.place = one("#drop");
    this.input = one("#file");
    this.address = one("#url");
    this.image = one("#picture-shown");
    this.away = one("#picture-away");
    one("#choose").addEventListener("click", () => this.input.click());
    one("#sample").addEventListener("click", () => this.#draw());
    this.away.addEventListener("click", () => {
      this.#take(null);
      one("#choose").focus();
    });
    this.input.addEventListener("change", () => this.#take(this.input.files[0]));
    this.address.addEventListener("input", () => this.file && this.address.value && this.#take(null));
    this.place.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.place.classList.add("over");
    });
    this.place.addEventListener("dragleave", () => this.place.classList.remove("over"));
    this.place.addEventListener("drop", (event) => {
      event.preventDefault();
      this.place.classList.remove("over");
      if (event.dataTransfer.files.length) this.#take(event.dataTransfer.files[0]);
    });
  }

  get url() {
    return this.address.value.trim();
  }

  #take(file) {
    this.file = file ?? null;
    this.input.value = "";
    if (file) this.address.value = "";
    this.image.hidden = true;
    this.away.hidden = !file;
    say(one("#picture-said"), file ? `${file.name}, ${Math.ceil(file.size / 1024)} KB` : ADVICE);
    if (file) this.#show(file);
    this.changed();
  }

  /** Show it as a data URL, which the policy of this page allows for pictures alone. */
  #show(file) {
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      if (this.file !== file) return;
      this.image.src = reader.result;
      this.image.alt = `Preview of ${file.name}`;
      this.image.hidden = false;
    });
    if (file.type.startsWith("image/")) reader.readAsDataURL(file);
  }

  #draw() {
    const canvas = document.createElement("canvas");
    canvas.width = 240;
    canvas.height = 160;
    const brush = canvas.getContext("2d");
    const hue = Math.floor(Math.random() * 360);
    brush.fillStyle = `hsl(${hue} 60% 82%)`;
    brush.fillRect(0, 0, 240, 160);
    brush.fillStyle = `hsl(${(hue + 60) % 360} 45% 45%)`;
    brush.fillRect(0, 110, 240, 50);
    brush.fillStyle = "#f6c945";
    brush.beginPath();
    brush.arc(60 + (hue % 120), 50, 26, 0, 7);
    brush.fill();
    canvas.toBlob((blob) => this.#take(new File([blob], "sample.png", { type: "image/png" })), "image/png");
  }
}
