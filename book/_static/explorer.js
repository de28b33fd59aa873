// Draws the runs that a page's explorers hold: what the sliders say, and nothing in between.
// The page holds, for each run, how many records it has, then their x, y and losses, in 16 bits;
// after its last record nothing changes. See `Explorer` in optim_scratch/explorer.py.
"use strict";

(() => {
  const PARTS = 65534; // 16 bits divide a span into so many; the next number means beyond it
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  /** The runs of one explorer, by their number. */
  function unpack({ data, counts }) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const words = new Uint16Array(bytes.buffer);
    const runs = counts.reduce((product, count) => product * count, 1);
    const begins = [runs];
    for (let run = 0; run < runs; run++) begins.push(begins[run] + 3 * words[run]);
    return (run) => {
      const [begin, records] = [begins[run], words[run]];
      const column = (i) => words.subarray(begin + i * records, begin + (i + 1) * records);
      return { records, x: column(0), y: column(1), loss: column(2) };
    };
  }

  /** The outline through points; where one is missing, a gap. */
  function line(points) {
    let pen = "M";
    return points.map((point) => {
      if (!point) { pen = "M"; return ""; }
      const part = pen + point[0].toFixed(2) + " " + point[1].toFixed(2);
      pen = "L";
      return part;
    }).join("");
  }

  /** Dots: strokes without length, whose ends are round however the picture is stretched. */
  const dots = (points) =>
    points.map((point) => point ? `M${point[0].toFixed(2)} ${point[1].toFixed(2)}h0` : "").join("");

  function explore(root) {
    const packed = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
    const find = (selector) => root.querySelector(selector);
    const part = (name, outline) => find(name).setAttribute("d", outline);
    const say = (name, words) => { // what stands there already is not announced again
      if (find(name).textContent !== words) find(name).textContent = words;
    };
    const sliders = [...root.querySelectorAll("input")];
    const values = [...root.querySelectorAll(".value")];
    const outcomes = [...root.querySelectorAll(".outcomes")].map((e) => [...e.children]);
    const map = find(".landscape svg").viewBox.baseVal, chart = find(".losses svg").viewBox.baseVal;
    const [bottom, top] = find(".losses svg").dataset.ends.split(" ").map(Number);
    const [low, high] = packed.decades;
    const button = find(".play");
    const runs = unpack(packed);
    const known = packed.reached.filter((steps) => steps >= 0);
    const fastest = Math.log(1 + Math.min(...known)), slowest = Math.log(1 + packed.steps);
    let ticket = 0, points, losses;

    const place = () => sliders.map((slider) => Number(slider.value));
    const number = (at) => at.reduce((sum, i, knob) => sum * packed.counts[knob] + i, 0);

    const where = ({ x, y }, i) => x[i] > PARTS ? null : [
      ((x[i] / PARTS - 0.5) * packed.span + 0.5) * map.width,
      (0.5 - (y[i] / PARTS - 0.5) * packed.span) * map.height,
    ];
    const height = ({ loss }, i) => {
      const power = low + loss[i] / PARTS * (high - low);
      return (top - power) / (top - bottom) * chart.height;
    };

    /** Draw the run as far as a step. */
    function draw(last) {
      const upto = points.slice(0, last + 1);
      part(".way", line(upto));
      part(".steps", dots(upto));
      part(".begin", dots(points.slice(0, 1)));
      part(".curve", line(losses.slice(0, last + 1)));
      for (const [frame, end] of [[".landscape", points[last]], [".losses", losses[last]]])
        for (const name of [".rim", ".end"]) part(`${frame} ${name}`, dots([end]));
      find(".counter").textContent = last < packed.steps ? `step ${last}` : "";
    }

    /** Colour each slider's track by what its values would come to. */
    function colour(at) {
      outcomes.forEach((cells, knob) => cells.forEach((cell, i) => {
        const steps = packed.reached[number(put(at, knob, i))];
        cell.className = steps === -2 ? "lost" : steps === -1 ? "short" : "there";
        const slow = (Math.log(1 + steps) - fastest) / (slowest - fastest || 1);
        if (steps >= 0) cell.style.setProperty("--depth", `${(100 - 75 * slow).toFixed()}%`);
      }));
    }

    function put(at, knob, i) {
      const other = [...at];
      other[knob] = i;
      return other;
    }

    /** Show the setting that the sliders say, whole. */
    function show() {
      stop();
      const at = place(), run = runs(number(at)), record = (i) => Math.min(i, run.records - 1);
      const steps = [...Array(packed.steps + 1).keys()];
      points = steps.map((i) => where(run, record(i)));
      losses = steps.map((i) => [i / packed.steps * chart.width, height(run, record(i))]);
      at.forEach((i, knob) => {
        values[knob].textContent = packed.values[knob][i];
        sliders[knob].setAttribute("aria-valuetext", packed.values[knob][i]);
      });
      say(".reading b", packed.readings[number(at)]);
      say(".reading span", `Loss after ${packed.steps} steps: ${packed.last[number(at)]}`);
      colour(at);
      draw(packed.steps);
    }

    function stop() {
      ticket++;
      button.textContent = "Play";
    }

    function play() {
      if (button.textContent === "Stop" || still.matches) { stop(); draw(packed.steps); return; }
      const mine = ++ticket, began = performance.now();
      const pace = Math.max(15, packed.steps / 8); // steps a second; eight seconds at most
      button.textContent = "Stop";
      const frame = (now) => {
        if (mine !== ticket) return;
        const step = Math.min(packed.steps, Math.floor((now - began) / 1000 * pace));
        draw(Math.max(0, step));
        if (step < packed.steps) requestAnimationFrame(frame);
        else stop();
      };
      requestAnimationFrame(frame);
    }

    sliders.forEach((slider) => slider.addEventListener("input", show));
    button.addEventListener("click", play);
    find(".reset").addEventListener("click", () => {
      sliders.forEach((slider, knob) => { slider.value = packed.at[knob]; });
      show();
    });
    show();
  }

  document.querySelectorAll(".explorer").forEach(explore);

  // A picture that is hidden would never be loaded, and is what is printed.
  addEventListener("load", () => document.querySelectorAll("figure.explored img")
    .forEach((image) => { image.loading = "eager"; }));
})();
