"use strict";
// Whatever comes from a stream, a bank or a marker is text: nothing here is read as HTML.
const LONGEST = 24;
const at = (name) => document.getElementById(name);
const say = (name, text) => { at(name).textContent = text; };
const ms = (value) => (value === null ? "–" : `${value.toFixed(1)} ms`);
let unusable = 0;

function make(kind, text, className) {
  const node = document.createElement(kind);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

function picture(choice) {
  const image = make("img");
  image.alt = choice.caption || choice.id;
  image.title = image.alt;
  image.addEventListener("error", () => image.replaceWith(make("div", undefined, "none")));
  image.src = `/picture/${encodeURIComponent(choice.id)}`;
  return image;
}

function card(choice) {
  const figure = make("figure");
  const sure = choice.confidence;
  const words = sure === null ? "" : `${(100 * sure).toFixed(0)}\u00a0% · `;
  figure.append(picture(choice));
  if (sure !== null) {
    const bar = make("div", undefined, "bar");
    const part = make("span");
    part.style.width = `${(100 * sure).toFixed(1)}%`;
    bar.append(part);
    figure.append(bar);
  }
  const name = choice.caption || choice.id.slice(0, 12);
  const caption = make("figcaption", name);
  caption.append(make("div", `${words}score\u00a0${choice.score.toFixed(2)}`, "score"));
  figure.append(caption);
  const item = make("li");
  item.append(figure);
  return item;
}

function remember(decision) {
  const item = make("li");
  if (decision.choices.length) item.append(picture(decision.choices[0]));
  else {
    const none = make("div", "–", "none");
    none.title = decision.problem;
    item.append(none);
  }
  at("history").prepend(item);
  while (at("history").children.length > LONGEST) at("history").lastChild.remove();
}

function show(decision) {
  const bad = decision.problem !== "";
  const mark = decision.label ? ` after ${decision.label}` : "";
  const filled = decision.filled_ms ? `, ${decision.filled_ms.toFixed(0)} ms filled in` : "";
  at("status").className = bad ? "bad" : "";
  say("status", bad ? `no decision: ${decision.problem}` : `decoding${mark}${filled}`);
  say("number", String(decision.number));
  say("onset", `${decision.onset_s.toFixed(2)} s`);
  say("latency", ms(decision.latency_ms));
  say("age", ms(decision.age_ms));
  at("choices").className = bad ? "old" : "";
  if (bad) {
    unusable += 1;
    say("unusable", String(unusable));
  } else {
    at("choices").replaceChildren(...decision.choices.map(card));
  }
  remember(decision);
}

fetch("/title").then((answer) => answer.text()).then((text) => {
  say("title", text);
  document.title = text;
});
const events = new EventSource("/events");
events.onmessage = (event) => show(JSON.parse(event.data));
events.addEventListener("end", () => {
  events.close();
  say("status", "the stream has ended");
});
events.onerror = () => { at("status").className = "bad"; say("status", "connection lost"); };
