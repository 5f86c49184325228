"use strict"
// Names and texts come from the run, and are foreign: they are set as text, never as markup.
const byId = id => document.getElementById(id)
const read = id => JSON.parse(byId(id).textContent)
const run = read("run"), measured = read("measured")
const SVG = "http://www.w3.org/2000/svg"

function grow(parent, node, attributes, text) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  if (text !== undefined) node.textContent = text
  return parent.appendChild(node)
}

const add = (parent, kind, attributes = {}, text) => grow(parent, document.createElement(kind), attributes, text)
const draw = (parent, kind, attributes = {}, text) => grow(parent, document.createElementNS(SVG, kind), attributes, text)

/** A choice by name: entries are [value, title]. */
function choices(id, entries, chosen, act) {
  const select = byId(id)
  for (const [value, title] of entries) add(select, "option", { value }, title)
  select.value = chosen
  select.onchange = () => act(select.value)
}

function table(parent, columns, rows, chosen = -1) {
  const shown = add(parent, "table"), head = add(add(shown, "thead"), "tr"), body = add(shown, "tbody")
  for (const column of columns) add(head, "th", {}, column)
  rows.forEach((row, place) => {
    const line = add(body, "tr", place === chosen ? { class: "chosen" } : {})
    for (const cell of row) add(line, "td", {}, cell)
  })
}

const whole = value => value.toLocaleString("en-US")
const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`
const short = value => {
  if (value === null) return "not defined"
  return value && Math.abs(value) < 1e-4 ? value.toExponential(2) : Number(value.toPrecision(3)).toString()
}
const ofWhole = share => `${100 * share}%` // for a style, which knows no blank before the sign
const counted = (number, noun) => `${whole(number)} ${noun}${number === 1 ? "" : "s"}`
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

/** Steps of 1, 2 or 5 times a power of ten, about so many from low to high. */
function ticks(low, high, about) {
  const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw))
  const step = power * [1, 2, 5, 10].find(each => each * power >= raw * 0.999)
  const found = []
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) found.push(n * step)
  return found
}

const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
