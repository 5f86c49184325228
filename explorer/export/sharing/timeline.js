const states = run.timeline.states
const layers = measured.layers
const units = layers.flatMap(layer => layer.channels.map(channel => ({ layer: layer.name, channel })))
const unitOf = new Map(units.map((unit, place) => [JSON.stringify([unit.layer, unit.channel]), place]))
const firstOf = []
layers.reduce((sum, layer, place) => { firstOf[place] = sum; return sum + layer.channels.length }, 0)

const QUANTITIES = { accuracy: "accuracy", loss: "loss, nats" }
const AGAINST = { units: "units", parameters: "parameters", flops: "FLOPs" }
const view = { path: [], step: 0, wentAt: [], quantity: "accuracy", against: "units" }

const here = () => states[view.path[view.step]]
const isGone = unit => view.wentAt[unit] <= view.step
const keptOf = place => layers[place].channels.filter((_, n) => !isGone(firstOf[place] + n)).length

/** The numbers of the states from the network as loaded to one. */
function pathTo(number) {
  const found = []
  for (let at = Number(number); at !== null; at = states[at].parent) found.unshift(at)
  return found
}

/** Ends of branches, and where the run stands. */
function ends() {
  const parents = new Set(Object.values(states).map(state => state.parent))
  return Object.keys(states).map(Number).filter(n => !parents.has(n) || n === run.timeline.current)
}

function goTo(number) {
  view.path = pathTo(number)
  view.step = view.path.length - 1
  view.wentAt = units.map(() => Infinity)
  view.path.forEach((each, step) => {
    for (const label of states[each].removed) view.wentAt[unitOf.get(JSON.stringify(label))] = step
  })
  byId("state").max = view.path.length - 1
}

const title = number => `${number}: ${states[number].name || states[number].how}`

function facts() {
  const now = here().metrics, root = states[0].metrics
  const counts = Object.entries(AGAINST).map(([name, said]) => [said, whole(now[name]), percent(now[name] / root[name])])
  const loss = now.loss === null ? [["loss", "not measured", ""]] : [["loss", now.loss.toFixed(4), ""]]
  const right = now.accuracy === null
    ? [["accuracy", "not measured", ""]]
    : [["accuracy", percent(now.accuracy, 2), `${signed(100 * (now.accuracy - root.accuracy))} points`]]
  byId("facts").replaceChildren()
  for (const [what, value, more] of [...right, ...loss, ...counts]) {
    const fact = add(byId("facts"), "span", { "data-fact": what }, `${what} `)
    add(fact, "b", {}, value)
    fact.append(` ${more}`)
  }
}

const signed = value => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`

function strip() {
  const widest = Math.max(...layers.map(layer => layer.channels.length))
  byId("strip").replaceChildren()
  layers.forEach((layer, place) => {
    const count = layer.channels.length, kept = keptOf(place)
    const column = add(byId("strip"), "div", { title: `${layer.name}: ${kept} of ${count} units left` })
    column.style.height = ofWhole(0.2 + 0.8 * count / widest)
    add(column, "i").style.height = ofWhole(kept / count)
  })
  byId("strip").setAttribute("aria-label", `Layers, as high as they have units; ${here().metrics.units} units left.`)
}

const EDGE = { left: 58, right: 14, top: 10, bottom: 40 }

/** Where values lie in the picture. Of accuracy half of the scale is shown, or all; loss begins at 0. */
function scales(width, height) {
  const { quantity, against } = view, root = states[0].metrics
  const shown = Object.values(states).flatMap(one => [one.metrics, one.pruned]).filter(Boolean)
  const values = shown.map(one => one[quantity]), least = Math.min(...shown.map(one => one[against] / root[against]))
  const accuracy = quantity === "accuracy"
  const low = accuracy && Math.min(...values) >= 0.5 ? 0.5 : 0
  const high = accuracy ? 1 : 1.06 * Math.max(...values, 0.01), end = Math.max(0, Math.min(0.9, least) - 0.03)
  const x = share => EDGE.left + (1 - share) / (1 - end) * (width - EDGE.left - EDGE.right)
  const y = value => EDGE.top + (high - value) / (high - low) * (height - EDGE.top - EDGE.bottom)
  return { low, high, end, x, y, at: one => [x(one[against] / root[against]), y(one[quantity])] }
}

function curve() {
  const box = byId("curve")
  box.replaceChildren()
  if (states[0].metrics.loss === null) return
  const width = box.clientWidth, height = box.clientHeight, scale = scales(width, height)
  const svg = draw(box, "svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": curveSaid() })
  axes(svg, scale, width, height)
  for (const end of ends()) draw(svg, "polyline", { class: "other", points: line(pathTo(end), scale) })
  draw(svg, "polyline", { class: "line", points: line(view.path, scale) })
  view.path.forEach((number, step) => marks(svg, scale, number, step))
  const [x, y] = scale.at(here().metrics)
  draw(svg, "circle", { class: "here", cx: x, cy: y, r: 9 })
}

const line = (numbers, scale) => numbers.map(number => scale.at(states[number].metrics).join()).join(" ")

const curveSaid = () => {
  const [first, last] = [states[0], states[view.path.at(-1)]].map(one => short(one.metrics[view.quantity]))
  return `${QUANTITIES[view.quantity]} against ${AGAINST[view.against]} left: ${first} as loaded, ${last} at the end.`
}

function axes(svg, scale, width, height) {
  for (const value of ticks(scale.low, scale.high, 5)) {
    draw(svg, "line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: scale.y(value), y2: scale.y(value) })
    const said = view.quantity === "accuracy" ? percent(value, 0) : short(value)
    draw(svg, "text", { class: "end", x: EDGE.left - 6, y: scale.y(value) + 4 }, said)
  }
  for (const share of ticks(scale.end, 1, width < 500 ? 4 : 8))
    draw(svg, "text", { class: "middle", x: scale.x(share), y: height - 22 }, percent(share, 0))
  draw(svg, "text", { class: "middle", x: (EDGE.left + width) / 2, y: height - 5 }, `${AGAINST[view.against]} left`)
}

/** Filled after fine-tuning, open before, open with a dot where units have gone since; a click goes there. */
function marks(svg, scale, number, step) {
  const { metrics, pruned, updates } = states[number], kind = measured.stages[number].kind
  if (pruned && updates) circle(svg, scale.at(pruned), "before")
  circle(svg, scale.at(metrics), kind === "after fine-tuning" ? "after" : "before")
  if (kind === "pruned after fine-tuning") circle(svg, scale.at(metrics), "after", 1.5)
  const [cx, cy] = scale.at(metrics), hit = draw(svg, "circle", { class: "hit", cx, cy, r: 10 })
  draw(hit, "title", {}, `${title(number)}, ${measured.stages[number].said}`)
  hit.onclick = () => moveTo(step)
}

const circle = (svg, [cx, cy], look, r = 4) => draw(svg, "circle", { class: look, cx, cy, r, "stroke-width": 2 })

function curveNote() {
  const { images } = states[0].metrics
  byId("curve-note").textContent = images
    ? `On ${counted(images, "validation image")}: one more right is ${(100 / images).toPrecision(2)} points of accuracy. `
      + "Filled: after fine-tuning; open: before; open with a dot: units have gone since. Grey: other branches. "
      + "Move with the slider, its arrow keys, or by a click on a mark."
    : "Loss and accuracy were not measured: there were no images."
}
