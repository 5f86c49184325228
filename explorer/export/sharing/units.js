const MAP = [255, 210, 60] // of the feature map over an image
const pictures = measured.pictures && decoded(measured.pictures)
const looked = { layer: 0, unit: null, buttons: [] }

function decoded({ maps, images, ...rest }) {
  const data = Object.fromEntries(Object.entries(maps).map(([name, one]) => [name, { size: one.size, bytes: bytes(one.bytes) }]))
  return { ...rest, maps: data, images: { ...images, bytes: bytes(images.bytes) } }
}

/** An image in grey or colour, and over it, as far as `strength` says, the feature map. */
function picture(canvas, unit, layer, strength) {
  const { size: [height, width], bytes: pixels, channels } = pictures.images
  const [rows, columns] = pictures.maps[layer].size, map = pictures.maps[layer].bytes
  const first = (unit - firstOf[looked.layer]) * rows * columns, start = pictures.image_of_unit[unit] * channels * height * width
  Object.assign(canvas, { width, height })
  const pen = canvas.getContext("2d"), drawn = pen.createImageData(width, height)
  for (let y = 0, at = 0; y < height; y++) for (let x = 0; x < width; x++, at += 4) {
    const over = strength * map[first + Math.floor(y * rows / height) * columns + Math.floor(x * columns / width)] / 255
    for (let band = 0; band < 3; band++) {
      const under = pixels[start + (channels === 3 ? band : 0) * height * width + y * width + x]
      drawn.data[at + band] = under * (1 - over) * (strength ? 0.7 : 1) + MAP[band] * over
    }
    drawn.data[at + 3] = 255
  }
  pen.putImageData(drawn, 0, 0)
}

function showLayer(place) {
  Object.assign(looked, { layer: place, unit: null, buttons: [] })
  const box = byId("units"), layer = layers[place]
  box.replaceChildren()
  byId("unit").replaceChildren()
  layer.channels.forEach((channel, n) => {
    const unit = firstOf[place] + n, button = add(box, "button", { type: "button" })
    if (pictures) picture(add(button, "canvas", { "aria-hidden": true }), unit, layer.name, 0.9)
    add(button, "span", {}, channel)
    button.onclick = () => showUnit(unit)
    looked.buttons.push(button)
  })
  markUnits()
}

function markUnits() {
  looked.buttons.forEach((button, n) => {
    const unit = firstOf[looked.layer] + n, gone = isGone(unit)
    button.className = gone ? "gone" : ""
    button.setAttribute("aria-pressed", unit === looked.unit)
    button.setAttribute("aria-label", `Channel ${units[unit].channel}, ${gone ? "gone" : "left"} at this state`)
  })
}

function showUnit(unit) {
  looked.unit = unit
  markUnits()
  const box = byId("unit"), { layer, channel } = units[unit]
  box.replaceChildren()
  const looks = add(box, "div"), numbers = add(box, "div", { class: "wide" })
  if (pictures) shownPictures(looks, unit, layer)
  const step = view.wentAt[unit], went = step === Infinity ? "stays on this way" : `goes with state ${title(view.path[step])}`
  add(numbers, "p", {}, `${layer}, channel ${channel}: ${went}.`)
  const rows = Object.values(criteria).map(one => [one.title, short(one.saliency[unit]), whole(one.ranks[unit]), one.unit])
  if (measured.oracle) {
    const { loss, standard_error, ranks } = measured.oracle
    rows.unshift(["Oracle: change of the loss", `${short(loss[unit])} ± ${short(standard_error[unit])}`, whole(ranks[unit]), "nats"])
  }
  table(numbers, ["By", "Value", `Rank of ${whole(units.length)}`, "Unit"], rows)
}

function shownPictures(box, unit, layer) {
  const label = measured.classes[pictures.labels[pictures.image_of_unit[unit]]], top = pictures.tops[unit]
  for (const [strength, said] of [[0.9, top > 0 ? `Yellow: where it answers, up to ${short(top)}.` : "It is silent: zero everywhere."], [0, `The image, of class ${label}.`]]) {
    const figure = add(box, "figure")
    picture(add(figure, "canvas", { role: "img", "aria-label": said }), unit, layer, strength)
    add(figure, "figcaption", {}, said)
  }
}

function unitNotes() {
  byId("units-note").textContent = pictures
    ? `Each unit on the image, of ${measured.calibration}, with its largest mean activation; yellow is its feature map there, from 0 to `
      + "its own largest value, in the network as loaded. Dashed: gone at this state. Choose one for its numbers."
    : "There are no pictures of units: there were no images. Choose a unit for its numbers."
}

function plan() {
  const box = byId("plan"), list = byId("gone")
  box.replaceChildren()
  list.replaceChildren()
  layers.forEach((layer, place) => {
    const kept = keptOf(place), line = add(box, "div")
    add(line, "span", { class: "name", title: layer.name }, layer.name)
    add(add(line, "div", { class: "bar" }), "i").style.width = ofWhole(kept / layer.channels.length)
    add(line, "span", { class: "count" }, `${kept} of ${layer.channels.length}`)
  })
  const gone = layers.map((layer, place) => layer.channels.filter((_, n) => isGone(firstOf[place] + n)))
  table(list, ["Layer", "Channels, as numbered in the network as loaded"], layers.map((layer, place) => [layer.name, gone[place].join(", ") || "none"]))
}
