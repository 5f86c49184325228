const NS = "http://www.w3.org/2000/svg"
const LEFT = 12, RIGHT = 12, HEAD = 22, PANEL = 46, GAP = 16, PLOT = 120, AXIS = 26, RUG = 7

const decode = text => new Float32Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer)

/** How many of the ascending values are below v (strictly), by bisection. */
function below(sorted, v) {
  let low = 0, high = sorted.length
  while (low < high) { const mid = (low + high) >> 1; if (sorted[mid] < v) low = mid + 1; else high = mid }
  return low
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
function written(v) {
  if (v === 0) return "0"
  if (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e5) return v.toPrecision(4)
  const [digits, exponent] = v.toExponential(3).split("e")
  return digits + " × 10" + [...String(+exponent)].map(c => c === "-" ? "⁻" : SUPERSCRIPTS[c]).join("")
}

/** The value axis: a place from 0 to 1 for every value, and back; zeros of a log axis have a slot at the left. */
function axis({ edges, log, zeros }) {
  const low = edges[0], high = edges[edges.length - 1], slot = zeros ? 0.07 : 0
  const bend = log ? Math.log : v => v, unbend = log ? Math.exp : v => v
  const span = bend(high) - bend(low)
  const clamp = p => Math.min(1, Math.max(0, p))
  const place = v => log && v <= 0 ? 0 : v <= low ? slot : clamp(slot + (bend(v) - bend(low)) / span * (1 - slot))
  const value = p => slot && p < slot / 2 ? 0 : p <= slot ? low : p >= 1 ? high : unbend(bend(low) + (p - slot) / (1 - slot) * span)
  return { place, value, slot, first: slot ? 0 : low, last: high }
}

const PANELS = [
  { name: "accuracy", column: 1, top: () => 1, said: v => `${Math.round(100 * v)}%` },
  { name: "loss", column: 2, top: most => most, said: v => v.toPrecision(2) },
]

/** Accuracy and loss against the threshold, one panel each: predicted as a dashed line, measured as dots on a line. */
function drawCurve({ svg, data, x, width }) {
  const group = svg.querySelector(".curve")
  group.replaceChildren()
  if (!data.curve) return
  const { predicted, measured } = data.curve
  const whole = measured.length && !(measured.at(-1)[0] < predicted.at(-1)?.[0])
  const most = Math.max(...(whole || !predicted.length ? measured : predicted).map(p => p[2]), 0.1)
  PANELS.forEach((panel, i) => drawPanel(group, panel, HEAD + i * (PANEL + GAP), most, { predicted, measured, x, width }))
}

function drawPanel(group, { name, column, top, said }, start, most, { predicted, measured, x, width }) {
  const add = (kind, attributes, text) => {
    const node = group.appendChild(document.createElementNS(NS, kind))
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
    if (text) node.textContent = text
  }
  const high = top(most), floor = start + PANEL
  const y = v => floor - PANEL * Math.min(1, Math.max(0, v / high))
  const line = points => points.map((p, i) => `${i ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[column]).toFixed(1)}`).join("")
  add("path", { class: "edge", d: `M${LEFT} ${floor + .5}H${width - RIGHT}M${LEFT} ${start - .5}H${width - RIGHT}` })
  add("path", { class: "predicted", d: line(predicted) })
  add("path", { class: "measured", d: line(measured) })
  for (const p of measured) add("circle", { class: "measured", cx: x(p[0]).toFixed(1), cy: y(p[column]).toFixed(1), r: 2.6 })
  add("text", { class: "panel", x: LEFT, y: start + PANEL / 2 + 4 }, `${name}, 0 to ${said(high)}`)
}

/** Accuracy and loss predicted at v, between the points next to it. */
function foreseen({ data, ax }, v) {
  const points = data.curve?.predicted ?? []
  const after = points.findIndex(p => p[0] >= v)
  if (!points.length) return null
  if (after <= 0) return points.at(after)
  const a = points[after - 1], b = points[after], from = ax.place(a[0])
  const share = (ax.place(v) - from) / (ax.place(b[0]) - from || 1)
  return a.map((value, i) => value + share * (b[i] - value))
}

/** Where a key moves the threshold: arrows take one more or one fewer unit, Page keys a twentieth of them. */
function keyTarget(key, state) {
  const { sorted, value, ax } = state, n = sorted.length, k = below(sorted, value)
  const page = Math.max(1, Math.round(n / 20))
  const up = count => {
    const aim = sorted[Math.min(n - 1, k + count)]
    if (below(sorted, aim) > k) return aim
    const next = sorted.findIndex(v => v > aim)
    return next < 0 ? ax.last : sorted[next]
  }
  const down = count => k - count < 0 || k === 0 ? ax.first : sorted[k - count]
  const moves = {
    ArrowRight: () => up(1), ArrowUp: () => up(1), PageUp: () => up(page), End: () => ax.last,
    ArrowLeft: () => down(1), ArrowDown: () => down(1), PageDown: () => down(page), Home: () => ax.first,
  }
  return moves[key]?.()
}

function draw(state) {
  const { svg, data, ax, sorted } = state
  const width = Math.max(240, svg.clientWidth), inner = width - LEFT - RIGHT
  const top = HEAD + (data.curve ? PANELS.length * (PANEL + GAP) : 0), floor = top + PLOT
  const x = v => LEFT + ax.place(v) * inner
  state.x = x
  state.inverse = px => ax.value((px - LEFT) / inner)
  svg.setAttribute("viewBox", `0 0 ${width} ${floor + AXIS}`)
  svg.style.setProperty("--drawn", `${floor + AXIS}px`)
  const most = Math.max(...data.counts, 1)
  const bar = (a, b, count, top) => {
    const h = Math.max(1.5, count / top * PLOT)
    return `M${a.toFixed(2)} ${floor}v${-h.toFixed(2)}h${(b - a).toFixed(2)}v${h.toFixed(2)}z`
  }
  let path = data.counts.map((c, i) => c ? bar(x(data.edges[i]) + .5, x(data.edges[i + 1]) - .5, c, most) : "").join("")
  if (data.zeros) path += bar(LEFT + 2, LEFT + ax.slot * inner * .62, data.zeros, Math.max(most, data.zeros))
  for (const part of svg.querySelectorAll(".bars")) part.setAttribute("d", path)
  svg.querySelector(".rug").setAttribute("d", [...sorted].map(v => `M${(v === 0 && data.zeros ? LEFT + ax.slot * inner * .31 : x(v)).toFixed(1)} ${floor + 2}v${RUG - 3}`).join(""))
  svg.querySelector(".floor").setAttribute("d", `M${LEFT} ${floor + .5}H${width - RIGHT}`)
  drawTicks(state, width, top, floor)
  svg.querySelector(".frame").setAttribute("width", width)
  svg.querySelector(".frame").setAttribute("height", floor + AXIS)
  state.handle.querySelector(".line").setAttribute("d", `M0 14V${floor}`)
  state.width = width
  drawCurve(state)
  paint(state)
}

const pictureOf = ({ data }) => data.follower && document.querySelector(`.st-key-${data.follower.picture} .js-plotly-plot`)

/** In the picture that follows, the line through each row that it decides about, and a shade over what lies left of it. */
function follow(state) {
  const { rows, of, low, log } = state.data.follower ?? {}, plot = pictureOf(state), { xaxis, yaxis } = plot?._fullLayout ?? {}
  if (!xaxis) return
  if (plot.followed !== state) { plot.followed = state; plot.on("plotly_afterplot", () => plot.followed === state && follow(state)) }
  const holder = plot.querySelector(".svg-container"), none = below(state.sorted, state.value) === 0
  state.followed = plot
  holder.querySelector(".follower")?.remove()
  if (none) return
  const layer = holder.appendChild(document.createElement("div")), right = xaxis.l2p(log ? Math.log10(Math.max(state.value, low)) : state.value)
  layer.className = "follower"
  layer.style.cssText = "position: absolute; inset: 0; pointer-events: none"
  for (const row of rows) {
    const top = yaxis._offset + yaxis.l2p(of - 1 - row + 0.85), foot = yaxis._offset + yaxis.l2p(of - 1 - row - 0.15)
    layer.appendChild(document.createElement("div")).style.cssText = `position: absolute; left: ${xaxis._offset}px; top: ${top}px;
      width: ${Math.max(0, right)}px; height: ${foot - top}px; box-sizing: border-box; border-right: 1.75px solid currentColor;
      background: color-mix(in srgb, ${state.shade} 16%, transparent)`
  }
}

/** Follow anew where the page has drawn the picture anew meanwhile. */
function refollow(state) {
  const plot = pictureOf(state)
  if (plot && (plot !== state.followed || below(state.sorted, state.value) && !plot.querySelector(".follower"))) follow(state)
}

function drawTicks({ svg, data, x, ax }, width, top, floor) {
  const group = svg.querySelector(".ticks")
  group.replaceChildren()
  const text = (px, label) => {
    const node = document.createElementNS(NS, "text")
    node.setAttribute("x", px); node.setAttribute("y", floor + 22); node.textContent = label
    group.appendChild(node)
  }
  for (const [v, label] of data.ticks) {
    text(x(v), label)
    const line = document.createElementNS(NS, "path")
    line.setAttribute("d", `M${x(v).toFixed(1)} ${top}V${floor}`)
    group.appendChild(line)
  }
  if (data.zeros) text(LEFT + ax.slot * (width - LEFT - RIGHT) * .31, "0")
}

function paint(state) {
  const { svg, output, data, sorted, value, handle, width } = state
  const px = state.x(value), n = sorted.length, k = below(sorted, value)
  svg.querySelector("#below rect").setAttribute("width", Math.max(0, px))
  const above = svg.querySelector("#above rect")
  above.setAttribute("x", px); above.setAttribute("width", Math.max(0, width - px))
  handle.setAttribute("transform", `translate(${px.toFixed(2)} 0)`)
  const share = n ? (100 * k / n).toFixed(1) : "0.0"
  const said = `${written(value)}${data.value_unit ? " " + data.value_unit : ""}`
  output.querySelector(".at").textContent = said
  output.querySelector(".cut").textContent = `${k.toLocaleString("en")} of ${n.toLocaleString("en")} ${data.unit} below (${share}%)`
  output.querySelector(".keep").textContent = `${(n - k).toLocaleString("en")} kept`
  const found = foreseen(state, value)
  output.querySelector(".fore").textContent = found ? `predicted: about ${(100 * found[1]).toFixed(0)}% right, loss ${found[2].toPrecision(2)}` : ""
  follow(state)
  handle.setAttribute("aria-valuenow", value)
  handle.setAttribute("aria-valuetext", `${said}, ${k} of ${n} ${data.unit} below`)
}

function wire(state) {
  const { svg, handle } = state
  const move = v => { state.value = Math.fround(v); paint(state) }
  const commit = () => state.send("moved", state.value)
  const at = e => state.inverse(e.clientX - svg.getBoundingClientRect().left)
  svg.onpointerdown = e => {
    if (e.button) return
    state.drag = true
    svg.setPointerCapture(e.pointerId); handle.focus({ preventScroll: true }); move(at(e)); e.preventDefault()
  }
  svg.onpointermove = e => { if (state.drag) move(at(e)) }
  svg.onpointerup = svg.onpointercancel = () => { if (state.drag) { state.drag = false; commit() } }
  handle.onkeydown = e => {
    const target = keyTarget(e.key, state)
    if (target === undefined) return
    e.preventDefault(); move(target)
    clearTimeout(state.timer); state.timer = setTimeout(commit, 250)
  }
}

function adopt(state, data) {
  if (data.value !== state.seen && !state.drag) state.value = data.value
  Object.assign(state, { data, seen: data.value, sorted: decode(data.values), ax: axis(data) })
  state.name.textContent = data.label
  state.svg.setAttribute("aria-label", `Histogram of ${data.label}, ${state.sorted.length} ${data.unit}`)
  state.handle.setAttribute("aria-label", data.label)
  state.handle.setAttribute("aria-valuemin", state.ax.first)
  state.handle.setAttribute("aria-valuemax", state.ax.last)
}

export default function ({ data, parentElement, setTriggerValue }) {
  const svg = parentElement.querySelector("svg")
  const state = svg.explorer ??= {
    svg, handle: svg.querySelector(".handle"), output: parentElement.querySelector("output"),
    name: parentElement.querySelector(".name"), drag: false,
  }
  state.send = setTriggerValue
  state.shade = getComputedStyle(svg).getPropertyValue("--removed")
  adopt(state, data)
  draw(state)
  wire(state)
  state.observer?.disconnect()
  state.observer = new ResizeObserver(() => { if (svg.clientWidth && svg.clientWidth !== state.width) draw(state) })
  state.observer.observe(svg)
  clearInterval(state.looking)
  state.looking = setInterval(refollow, 300, state)
  return () => { state.observer.disconnect(); clearInterval(state.looking) }
}
