const BINS = 48
const criteria = measured.criteria
const chosen = { criterion: Object.keys(criteria)[0] }
const flat = { viewBox: `0 0 ${BINS} 1`, preserveAspectRatio: "none", role: "img" }

/** The values that layers are compared by: each layer divided by its own length, where the criterion is scaled at all. */
function comparable({ saliency, scaling }) {
  if (scaling !== "l2") return saliency
  return layers.flatMap((layer, place) => {
    const own = saliency.slice(firstOf[place], firstOf[place] + layer.channels.length)
    const length = Math.hypot(...own)
    return own.map(value => value / (length || 1))
  })
}

/** Axis of the bins: by powers of ten where values span several; all that is below the four largest shares the first. */
function binning(values) {
  const sorted = known(values), high = sorted.at(-1)
  const positive = sorted.filter(value => value > 0), low = Math.max(positive[0], high / 1e4)
  const log = sorted[0] >= 0 && positive.length > 0 && high / low > 30
  const [from, to] = log ? [Math.log10(low), Math.log10(high)] : [sorted[0], high]
  const place = value => ((log ? Math.log10(Math.max(value, low)) : value) - from) / (to - from || 1)
  return { log, ends: log ? [low, high] : [from, to], bin: value => Math.max(0, Math.min(BINS - 1, Math.floor(BINS * place(value)))) }
}

const known = values => values.filter(value => value !== null).sort((a, b) => a - b)

function distributions() {
  const criterion = criteria[chosen.criterion], values = comparable(criterion), axis = binning(values), box = byId("distributions")
  box.replaceChildren()
  layers.forEach((layer, place) => {
    const keep = new Array(BINS).fill(0), go = new Array(BINS).fill(0)
    for (let unit = firstOf[place]; unit < firstOf[place] + layer.channels.length; unit++)
      if (values[unit] !== null) (isGone(unit) ? go : keep)[axis.bin(values[unit])]++
    const left = `${keptOf(place)} of ${layer.channels.length}`
    const svg = row(box, layer.name, `${left} left`, { ...flat, "aria-label": `${layer.name}: ${left} units left` })
    const most = Math.max(...keep.map((n, bin) => n + go[bin]))
    keep.forEach((n, x) => {
      const [kept, gone] = [n / most, go[x] / most]
      if (n) draw(svg, "rect", { class: "keep", x: x + 0.06, width: 0.88, y: 1 - kept, height: kept })
      if (go[x]) draw(svg, "rect", { class: "go", x: x + 0.06, width: 0.88, y: 1 - kept - gone, height: gone })
    })
  })
  const [first, last] = axis.ends.map(short)
  between("distributions-axis", axis.log && known(values)[0] < axis.ends[0] ? `${first} and less` : first, axis.log ? "logarithmic" : "", last)
}

function row(box, name, count, attributes) {
  const line = add(box, "div")
  add(line, "span", { class: "name", title: name }, name)
  const svg = draw(line, "svg", attributes)
  add(line, "span", { class: "count" }, count)
  return svg
}

function between(id, ...texts) {
  byId(id).replaceChildren()
  for (const text of texts) add(byId(id), "span", {}, text)
}

/** The paper's figure 2: of each layer's global ranks the range, the quartiles and the median. */
function ranks() {
  const criterion = criteria[chosen.criterion], box = byId("ranks"), n = units.length
  box.replaceChildren()
  layers.forEach((layer, place) => {
    const own = criterion.statistics[place], truth = measured.oracle && measured.oracle.statistics[place]
    const said = `${layer.name}: median rank ${short(own[2])}${truth ? `, oracle ${short(truth[2])}` : ""}`
    const svg = row(box, layer.name, `median ${short(own[2])}`, { ...flat, viewBox: `1 0 ${Math.max(1, n - 1)} 34`, "aria-label": said })
    boxed(svg, own, truth ? 4 : 11, n, "")
    if (truth) boxed(svg, truth, 19, n, "truth")
  })
  between("ranks-axis", "1, most important", `${whole(n)}, least`)
}

function boxed(svg, [least, lower, middle, upper, most], y, n, look) {
  const hair = n / 400
  draw(svg, "rect", { class: `reach ${look}`, x: least, width: Math.max(hair, most - least), y: y + 5, height: 2 })
  draw(svg, "rect", { class: `box ${look}`, x: lower, width: Math.max(hair, upper - lower), y, height: 12 })
  draw(svg, "rect", { class: "middle-line", x: middle - hair / 2, width: hair, y, height: 12 })
}

function saliencyNotes() {
  const { title, unit, summary, scaling } = criteria[chosen.criterion]
  const how = scaling === "l2" ? "each layer scaled to unit length" : `in ${unit}, not scaled`
  const on = measured.calibration || "the weights alone, without images"
  byId("summary").textContent = `${summary} Higher means keep. Scored in the network as loaded, on ${on}.`
  byId("distributions-note").textContent = `${title}, ${how}. Blue: left at this state; orange: gone. Each row has its own height.`
  byId("ranks-note").textContent = `Ranks among all ${whole(units.length)} units: line from first to last, box from quartile `
    + `to quartile, and the median. Blue: ${title}, ${scaling === "l2" ? "layers scaled" : "not scaled"}${measured.oracle ? "; green: the oracle's absolute change of the loss" : ""}.`
}
