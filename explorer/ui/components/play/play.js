const NS = "http://www.w3.org/2000/svg"
const SPEEDS = [2, 4, 8, 16], USUAL = 8, PAGE = 5
const LEFT = 44, RIGHT = 14, TOP = 10, FOOT = 34
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches

/** What the curve can show: its axis from 0 to `top`, and what it is of. */
const SHOWS = {
  accuracy: { title: "Accuracy", top: () => 1, of: f => f.accuracy, tick: v => `${Math.round(100 * v)}%` },
  loss: { title: "Loss", top: data => 2 * data.chance, of: f => f.loss, tick: v => v.toFixed(1) },
  flops: { title: "FLOPs", top: () => 1, of: (f, data) => f.flops / data.whole.flops, tick: v => `${Math.round(100 * v)}%` },
}

function add(parent, kind, attributes, text) {
  const node = parent.appendChild(document.createElementNS(NS, kind))
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  if (text !== undefined) node.textContent = text
  return node
}

const last = state => state.data.shots.length - 1
/** The state that is shown: while it plays, the one that was passed last. */
const place = state => Math.min(last(state), Math.floor(state.at + 1e-6))

/** Where a share of the units left, and a value, lie in the picture; a value beyond the axis lies on its edge. */
function scales(state) {
  const { data } = state, show = SHOWS[state.show], top = show.top(data)
  const width = Math.max(220, state.curve.clientWidth), height = state.curve.clientHeight || 250
  const x = units => LEFT + (1 - units / data.whole.units) * (width - LEFT - RIGHT)
  const y = value => TOP + (1 - Math.min(1, value / top)) * (height - TOP - FOOT)
  return { width, height, top, x, y, show }
}

function drawAxes(state) {
  const { axes, data, scale } = state, { width, height, top, x, y, show } = scale
  axes.replaceChildren()
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    add(axes, "path", { d: `M${LEFT} ${y(share * top)}H${width - RIGHT}M${x(share * data.whole.units)} ${TOP}V${height - FOOT}` })
    add(axes, "text", { x: LEFT - 6, y: y(share * top) + 4, "text-anchor": "end" }, show.tick(share * top))
    add(axes, "text", { x: x(share * data.whole.units), y: height - FOOT + 15, "text-anchor": "middle" }, `${100 * share}%`)
  }
  add(axes, "text", { x: width - RIGHT, y: height - 4, "text-anchor": "end" }, "units left")
  const box = state.curve.querySelector("#inside rect")
  for (const [name, value] of Object.entries({ x: LEFT, y: TOP - 3, width: width - LEFT - RIGHT, height: height - TOP - FOOT + 6 })) box.setAttribute(name, value)
}

/** Both lines, as far as they are measured. */
function drawLines(state) {
  const { curve, data, dots } = state, { x, y, show } = state.scale
  const value = figures => figures && show.of(figures, data)
  const line = of => data.shots.map(of).filter(f => typeof value(f) === "number")
    .map((f, i) => `${i ? "L" : "M"}${x(f.units).toFixed(1)} ${y(value(f)).toFixed(1)}`).join("")
  curve.querySelector(".own").setAttribute("d", line(shot => shot))
  curve.querySelector(".rival").setAttribute("d", data.rival ? line(shot => shot.rival) : "")
  dots.replaceChildren()
  for (const shot of data.shots) if (typeof value(shot) === "number") add(dots, "circle", { cx: x(shot.units), cy: y(value(shot)), r: 2 })
}

/** The strip, built once for a network. */
function buildStrip(state) {
  const { strip, data } = state
  strip.replaceChildren()
  state.kept = data.layers.map(layer => {
    const column = strip.appendChild(document.createElement("div"))
    column.className = "layer"
    column.style.height = `${100 * layer.height}%`
    return column.appendChild(document.createElement("i"))
  })
}

function buildImages(state) {
  const { images, data } = state
  images.replaceChildren()
  state.tiles = data.pictures.map(picture => {
    const item = images.appendChild(document.createElement("li")), image = item.appendChild(document.createElement("img"))
    image.src = picture.source
    image.className = picture.small ? "small" : "large"
    image.alt = ""
    return { item, name: item.appendChild(document.createElement("span")), answer: null }
  })
}

/** Between two states the strip and the marker are on the way; every figure is of a measured state. */
function between(state, of) {
  const { shots } = state.data, before = shots[place(state)], after = shots[Math.min(last(state), place(state) + 1)]
  const share = calm() ? 0 : state.at - place(state), a = of(before), b = of(after)
  return typeof a === "number" && typeof b === "number" ? a + share * (b - a) : a
}

function paintStrip(state) {
  const { data } = state, { scale, dearest } = data
  state.kept.forEach((node, i) => {
    node.style.height = `${100 * between(state, shot => shot.kept[i]) / data.layers[i].total}%`
    const share = between(state, shot => shot.costs[i]) / dearest * (scale.length - 1), low = Math.min(scale.length - 2, Math.floor(share))
    node.style.background = `color-mix(in srgb, ${scale[low + 1]} ${(100 * (share - low)).toFixed(0)}%, ${scale[low]})`
  })
  const shot = data.shots[place(state)]
  state.strip.setAttribute("aria-label", data.layers.map((layer, i) => `${layer.name} ${shot.kept[i]} of ${layer.total}`).join(", "))
}

function paintImages(state) {
  const { data, tiles } = state, { answers } = data.shots[place(state)]
  let right = 0
  data.pictures.forEach((picture, i) => {
    const tile = tiles[i], answer = answers[i]
    right += answer === picture.label
    if (tile.answer === answer) return
    tile.answer = answer
    const wrong = answer !== undefined && answer !== picture.label, true_ = data.classes[picture.label]
    tile.item.className = wrong ? "wrong" : ""
    tile.name.textContent = answer === undefined ? true_ : data.classes[answer]
    tile.item.title = answer === undefined ? true_ : wrong ? `${true_}, taken for ${data.classes[answer]}` : `${true_}, right`
    tile.item.setAttribute("aria-label", tile.item.title)
  })
  state.count.textContent = answers.length ? `${right} of these ${data.pictures.length} images right; below each, the answer` : ""
}

function paintMarks(state) {
  const { curve, data } = state, { x, y, height, show } = state.scale
  const put = (name, of) => {
    const node = curve.querySelector(name), units = between(state, shot => of(shot)?.units), value = between(state, shot => of(shot) ? show.of(of(shot), data) : null)
    const there = typeof units === "number" && typeof value === "number"
    node.style.display = there ? "" : "none"
    if (there) { node.setAttribute("cx", x(units).toFixed(1)); node.setAttribute("cy", y(value).toFixed(1)) }
  }
  put(".here", shot => shot)
  put(".other", shot => data.rival && shot.rival)
  const px = x(between(state, shot => shot.units)).toFixed(1)
  curve.querySelector(".line").setAttribute("d", `M${px} ${TOP}V${height - FOOT}`)
}

/** The figures of the state, exactly as they were measured. */
function sayNow(state) {
  const { data, now } = state, at = place(state), shot = data.shots[at]
  const parts = {
    ".place": data.expected > 1 ? `Step ${at} of ${data.expected - 1}` : "Step 0",
    ".left": shot.left,
    ".quality": shot.said,
    ".beside": data.rival && shot.rival?.said ? `by chance instead: ${shot.rival.said}` : "",
  }
  for (const [name, text] of Object.entries(parts)) now.querySelector(name).textContent = text
  state.curve.setAttribute("aria-valuemax", last(state))
  state.curve.setAttribute("aria-valuenow", at)
  state.curve.setAttribute("aria-valuetext", Object.values(parts).filter(Boolean).join(", "))
}

/** Draw the state that is shown; between two states only what moves. */
function paint(state) {
  paintStrip(state)
  paintMarks(state)
  const at = place(state)
  if (state.painted === at && state.paintedOf === state.data) return
  state.painted = at
  state.paintedOf = state.data
  paintImages(state)
  sayNow(state)
  buttons(state)
}

function buttons(state) {
  const { root, data, of } = state, at = place(state), busy = data.status === "measuring"
  root.classList.toggle("running", state.playing)
  of(".word").textContent = state.playing ? "Pause" : "Play"
  of(".run").setAttribute("aria-label", state.playing ? "Pause" : "Play: prune to the end, step by step")
  of(".run").disabled = !state.playing && ["idle", "stopped"].includes(data.status) && Boolean(data.locked)
  of(".run").title = of(".run").disabled ? data.locked : ""
  of(".prev").disabled = at === 0
  of(".next").disabled = at >= last(state) && ["measuring", "ended"].includes(data.status)
  of(".cancel").style.display = busy ? "" : "none"
  of(".said").textContent = data.said
  of(".go").disabled = Boolean(data.locked) || at === data.current
  of(".go").title = data.locked || (at === data.current ? "The run is at this state" : "Make it the run's current state")
}

/** Move to a state, and stop playing. */
function show(state, at) {
  pause(state)
  state.at = Math.min(last(state), Math.max(0, at))
  paint(state)
}

function pause(state) {
  state.playing = false
  cancelAnimationFrame(state.frame)
  buttons(state)
}

/** What was not asked for yet has to be measured, or at least kept in the run. */
const ask = state => { if (["idle", "early", "stopped"].includes(state.data.status)) state.send("play", true) }

function play(state) {
  if (state.at >= last(state) && state.data.status !== "measuring") state.at = state.data.status === "idle" ? state.at : 0
  state.playing = true
  state.before = undefined
  buttons(state)
  go(state)
}

function go(state) {
  cancelAnimationFrame(state.frame)
  state.frame = requestAnimationFrame(now => advance(state, now))
}

/** One frame: as far on as time has gone, but never beyond what is measured. */
function advance(state, now) {
  if (!state.playing) return
  const passed = Math.min(250, now - (state.before ?? now)) / 1000
  state.before = now
  state.at = Math.min(last(state), state.at + passed * state.speed)
  paint(state)
  const over = state.at >= last(state) && (["ended", "stopped"].includes(state.data.status) || (state.data.status === "early" && state.data.shots.length >= state.data.expected))
  if (over) pause(state)
  else go(state)
}

/** The state nearest to a place in the picture. */
function nearest(state, event) {
  const px = event.clientX - state.curve.getBoundingClientRect().left
  const far = shot => Math.abs(state.scale.x(shot.units) - px)
  return state.data.shots.reduce((best, shot, i, all) => far(shot) < far(all[best]) ? i : best, 0)
}

function wireCurve(state) {
  const { curve } = state
  curve.onpointerdown = event => {
    if (event.button) return
    state.drag = true
    curve.setPointerCapture(event.pointerId)
    curve.focus({ preventScroll: true })
    show(state, nearest(state, event))
    event.preventDefault()
  }
  curve.onpointermove = event => { if (state.drag) show(state, nearest(state, event)) }
  curve.onpointerup = curve.onpointercancel = () => { state.drag = false }
  curve.onkeydown = event => {
    const at = place(state)
    const to = {
      ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, PageUp: at + PAGE, PageDown: at - PAGE, Home: 0, End: last(state),
    }[event.key]
    if (event.key === " ") { event.preventDefault(); press(state) }
    if (to === undefined) return
    event.preventDefault()
    show(state, to)
  }
}

function press(state) {
  if (state.playing) return pause(state)
  ask(state)
  play(state)
}

function wire(state) {
  const { of } = state
  of(".run").onclick = () => press(state)
  of(".prev").onclick = () => show(state, place(state) - 1)
  of(".next").onclick = () => { ask(state); show(state, place(state) + 1) }
  of(".cancel").onclick = () => { pause(state); state.send("cancel", true) }
  of(".go").onclick = () => { pause(state); state.send("go", place(state)) }
  const speed = of("select")
  for (const each of SPEEDS) speed.append(new Option(each, each, each === USUAL, each === USUAL))
  speed.onchange = () => { state.speed = +speed.value }
  wireCurve(state)
}

/** The quantities that there are to show, as a group of which one is chosen. */
function buildShows(state) {
  const group = state.of(".shows"), names = state.data.measured ? Object.keys(SHOWS) : ["flops"]
  group.replaceChildren()
  state.show = names.includes(state.show) ? state.show : names[0]
  const nodes = names.map(name => {
    const node = group.appendChild(document.createElement("button"))
    node.type = "button"
    node.textContent = SHOWS[name].title
    node.setAttribute("role", "radio")
    const choose = () => { state.show = name; mark(); redraw(state) }
    node.onclick = choose
    node.onkeydown = event => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
      if (!by) return
      event.preventDefault()
      const next = nodes[(names.indexOf(name) + by + names.length) % names.length]
      next.click(); next.focus()
    }
    return node
  })
  const mark = () => nodes.forEach((node, i) => {
    const chosen = names[i] === state.show
    node.setAttribute("aria-checked", chosen)
    node.tabIndex = chosen ? 0 : -1
  })
  mark()
}

function redraw(state) {
  state.scale = scales(state)
  state.painted = undefined
  state.curve.setAttribute("aria-label", `${SHOWS[state.show].title} of each state; arrow keys go from one to the next`)
  drawAxes(state)
  drawLines(state)
  paint(state)
}

/** Another network or other images: build what is drawn of them. */
function rebuild(state) {
  const { data } = state
  const shape = `${data.layers.map(layer => layer.name)} ${data.pictures.map(p => p.source.length + p.source.slice(-40))} ${data.measured}`
  if (shape === state.shape) return
  state.shape = shape
  buildStrip(state)
  buildImages(state)
  buildShows(state)
}

function dress(state) {
  const { root, data, of } = state
  root.classList.toggle("bare", !data.pictures.length)
  root.style.setProperty("--own", data.own.color)
  root.style.setProperty("--own-dash", data.own.dash || "none")
  root.style.setProperty("--rival", data.rival?.color ?? "none")
  root.style.setProperty("--rival-dash", data.rival?.dash || "none")
  of(".ownname").textContent = data.own.label
  of(".rivalname").textContent = data.rival ? `as many units by chance (${data.rival.label})` : ""
  of(".ofrival").style.display = data.rival ? "" : "none"
  of(".missing").textContent = data.missing
  of(".costs i").style.background = `linear-gradient(90deg, ${data.scale.join(", ")})`
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".play"), of = name => root.querySelector(name), fresh = !root.explorer
  const state = root.explorer ??= {
    root, of, curve: of(".curve"), axes: of(".axes"), dots: of(".dots"), strip: of(".strip"), images: of(".images ul"), count: of(".images p"),
    now: of(".now"), at: 0, speed: USUAL, playing: false, show: "accuracy", moved: false,
  }
  const other = state.data?.name !== data.name, before = state.data?.shots ?? []
  // what was measured before anybody asked stays while it is kept in the run
  if (!other && data.status === "measuring" && data.shots.length < before.length) data = { ...data, shots: before }
  const gone = state.data && state.data.current !== data.current
  Object.assign(state, { data, send: setTriggerValue })
  if (fresh) wire(state)
  if (other) state.at = data.current
  if (gone && !state.playing) state.at = data.current
  state.at = Math.min(state.at, last(state))
  dress(state)
  rebuild(state)
  redraw(state)
  if (state.playing && (state.refused ?? 0) !== data.refused) pause(state)
  state.refused = data.refused
  if (data.moves && data.status === "early" && !state.moved && !calm() && data.shots.length > 1) { state.moved = true; play(state) }
  state.observer?.disconnect()
  state.observer = new ResizeObserver(() => { if (state.curve.clientWidth && state.curve.clientWidth !== state.scale.width) redraw(state) })
  state.observer.observe(state.curve)
  if (state.playing) go(state)
  return () => { state.observer.disconnect(); cancelAnimationFrame(state.frame) } // called before each draw, too
}
