// The page of Search: no framework, no build step. What the server says is shown as text, never as markup.
const $ = id => document.getElementById(id);
const pageSize = 60, uploadsAtOnce = 3;
let images = [], shown = [], selected = null, filter = null, state = null, training = null;

// ---- server

async function call(method, path, body, type) {
  const response = await fetch(path, { method, body, headers: type ? { "Content-Type": type } : {} }).catch(() => null);
  if (!response) throw new Error("The app does not answer. Is it still running?");
  if (response.ok) return response.status === 204 ? null : response.json();
  const answer = await response.json().catch(() => null);
  throw Object.assign(new Error(answer?.error ?? `The app answered ${response.status}.`), { status: response.status });
}

const sendJson = (method, path, value) => call(method, path, JSON.stringify(value), "application/json");

// Runs what a person asked for; a fault is shown and nothing else is lost.
const attempt = action => async (...given) => {
  try {
    return await action(...given);
  } catch (fault) {
    say(fault.message, true);
  }
};

let sayTimer;
function say(text, isFault = false) {
  $("status").textContent = text;
  $("status").className = isFault ? "shown fault" : "shown";
  clearTimeout(sayTimer);
  sayTimer = setTimeout(() => $("status").className = "", isFault ? 8000 : 3000);
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const percent = value => `${Math.round(value * 100)}%`;

// ---- state, labels, training

async function refreshState() {
  state = await call("GET", "/api/state");
  $("count").textContent = state.count === 1 ? "1 image" : `${state.count} images`;
  const labelled = state.labels.reduce((sum, l) => sum + l.count, 0);
  const choices = [["All", null, state.count], ...state.labels.map(l => [l.label, l.label, l.count])];
  if (labelled < state.count) choices.push(["No label", "", state.count - labelled]);
  $("filters").replaceChildren(...choices.map(([text, value, count]) => {
    const button = element("button", { type: "button", textContent: `${text} ${count}` });
    button.setAttribute("aria-pressed", value === filter);
    button.onclick = attempt(async () => {
      filter = value;
      await Promise.all([refreshState(), list()]);
    });
    return button;
  }));
  $("labels").replaceChildren(...state.labels.map(l => element("option", { value: l.label })));
  showTraining(state.training);
  if (state.training.status === "Running") watchTraining();
}

function showTraining(now) {
  training = now;
  const isRunning = now.status === "Running";
  $("training-progress").hidden = $("cancel").hidden = !isRunning;
  $("train").hidden = isRunning;
  $("training-progress").value = now.progress;
  const accuracy = now.accuracy == null ? "" : `, ${percent(now.accuracy)} are right when they are held out`;
  const learned = `${now.images} images of ${now.classes} labels${accuracy}`;
  const idle = state?.classifier === "probe" ? "Classes come from the classifier that was trained here."
    : state?.classifier === "model" ? "Classes come from the model that is served."
    : "Give a few images of each kind a label, then train: the other images get their class.";
  $("training-text").textContent = isRunning ? (now.images ? `Training: ${percent(now.progress)} of ${learned}` : "Training …")
    : now.status === "Done" ? `Trained on ${learned}; ${now.seconds.toFixed(1)} s.`
    : now.status === "Cancelled" ? "Training was cancelled; the classifier is the one before."
    : now.status === "Failed" ? `Training failed: ${now.error}` : idle;
}

let events = null;
function watchTraining() {
  if (events) return;
  events = new EventSource("/api/training");
  const end = () => {
    events?.close();
    events = null;
  };
  events.onmessage = attempt(async message => {
    const now = JSON.parse(message.data);
    showTraining(now);
    if (now.status === "Running") return;
    end();
    if (now.status === "Failed") say(`Training failed: ${now.error}`, true);
    if (now.status !== "Done") return;
    say("The classifier is trained.");
    await Promise.all([refreshState(), list(shown.length), selected && open(selected, false)]);
  });
  events.onerror = () => {
    end();
    say("The app does not answer. Is it still running?", true);
  };
}

const train = attempt(async () => {
  if (training?.status === "Running") return;
  showTraining(await call("POST", "/api/training"));
  watchTraining();
});

// ---- images

function tile(image) {
  const name = image.label ?? image.class;
  const figure = image.similarity != null ? percent(image.similarity) : image.label == null && image.class ? percent(image.confidence) : "";
  const button = element("button", { type: "button", className: "tile" },
    element("img", { src: `/api/images/${image.id}/thumbnail`, alt: image.label != null ? "Labelled" : image.class ? "Probably" : "Image", loading: "lazy" }),
    element("span", { className: "caption" },
      element("span", { textContent: name ?? "", className: image.label == null ? "guess" : "" }),
      element("span", { className: "quiet", textContent: figure })));
  button.dataset.id = image.id;
  if (image.id === selected) button.setAttribute("aria-current", "true");
  button.onclick = () => open(image.id);
  return element("li", {}, button);
}

async function list(count = pageSize, offset = 0) {
  const query = new URLSearchParams({ offset, count: Math.min(200, Math.max(count, pageSize)) });
  if (filter !== null) query.set("label", filter);
  const found = await call("GET", `/api/images?${query}`);
  shown = offset ? shown.concat(found) : found;
  if (offset) $("grid").append(...found.map(tile));
  else $("grid").replaceChildren(...found.map(tile));
  $("empty").hidden = state?.count !== 0;
  $("more").hidden = found.length < Number(query.get("count"));
}

function markSelected() {
  for (const button of document.querySelectorAll(".tile")) {
    if (button.dataset.id === selected) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

const open = attempt(async (id, moveFocus = true) => {
  const image = await call("GET", `/api/images/${id}`);
  const isOther = selected !== id;
  selected = id;
  markSelected();
  $("detail").hidden = false;
  $("detail-title").textContent = image.label ?? (image.classes[0] ? `Probably ${image.classes[0].label}` : "Image");
  $("label").value = image.label ?? "";
  $("attention-choice").hidden = image.attentionHeads === 0;
  if (image.attentionHeads === 0 && view() === "attention") setView("picture");
  if ($("head").options.length !== image.attentionHeads + 1) {
    const heads = Array.from({ length: image.attentionHeads }, (_, i) => element("option", { value: i, textContent: i + 1 }));
    $("head").replaceChildren(element("option", { value: "", textContent: "mean of all" }), ...heads);
  }
  $("classes").replaceChildren(...(image.classes.length ? image.classes.map(bar)
    : [element("p", { className: "quiet", textContent: "No classifier yet: label some images and train." })]));
  $("similar").replaceChildren(...image.similar.map(tile));
  if (!image.similar.length) $("similar").append(element("li", { className: "quiet", textContent: "There is no other image." }));
  showView();
  if (isOther) $("detail").scrollTop = 0;
  if (moveFocus) $("detail").focus({ preventScroll: true });
});

function bar(guess) {
  return element("div", { className: "bar" },
    element("span", { textContent: guess.label, title: guess.label }),
    element("meter", { min: 0, max: 1, value: guess.confidence, ariaLabel: guess.label }),
    element("span", { textContent: percent(guess.confidence) }));
}

const view = () => document.querySelector("input[name=view]:checked").value;
const setView = name => document.querySelector(`input[name=view][value=${name}]`).checked = true;

function showView() {
  const name = view(), head = $("head").value;
  $("heads").hidden = name !== "attention";
  $("view-error").hidden = true;
  $("view-image").hidden = false;
  $("view").classList.add("loading");
  $("view-image").alt = { picture: "The image", masks: "The image with its masks", attention: "Where the encoder looks in the image" }[name];
  $("view-image").src = `/api/images/${selected}/${name}${name === "attention" && head !== "" ? `?head=${head}` : ""}`;
}

$("view-image").onload = () => $("view").classList.remove("loading");
$("view-image").onerror = () => {
  $("view").classList.remove("loading");
  $("view-image").hidden = true;
  $("view-error").hidden = false;
  $("view-error").textContent = "This cannot be shown now. Choose it again to retry.";
};

function close() {
  const last = selected;
  selected = null;
  $("detail").hidden = true;
  markSelected();
  document.querySelector(`#grid .tile[data-id="${last}"]`)?.focus();
}

function step(by) {
  if (!selected || !shown.length) return;
  const at = shown.findIndex(i => i.id === selected);
  open(shown[(at + by + shown.length) % shown.length].id);
}

// ---- changes

$("label-form").onsubmit = attempt(async event => {
  event.preventDefault();
  const id = selected, label = $("label").value.trim() || null;
  await sendJson("PUT", `/api/images/${id}/label`, { label });
  say(label ? `Labelled ${label}.` : "The label is gone.");
  await Promise.all([refreshState(), list(shown.length)]);
  if (selected === id) await open(id);
});

$("remove").onclick = attempt(async () => {
  const id = selected;
  if (!confirm("Remove this image and its file?")) return;
  await call("DELETE", `/api/images/${id}`);
  close();
  await Promise.all([refreshState(), list(shown.length)]);
});

$("train").onclick = train;
$("cancel").onclick = attempt(() => call("DELETE", "/api/training"));
$("more").onclick = attempt(() => list(pageSize, shown.length));
$("close").onclick = close;
$("previous").onclick = () => step(-1);
$("next").onclick = () => step(1);
$("head").onchange = showView;
for (const input of document.querySelectorAll("input[name=view]")) input.onclick = showView;

// ---- uploads

const upload = attempt(async files => {
  if (!files.length) return;
  const waiting = files.map(file => {
    const row = element("li", {}, element("span", { className: "name", textContent: file.name }), element("span", { className: "what quiet", textContent: "waiting" }));
    $("uploads").append(row);
    return { file, row };
  });
  $("uploads").hidden = false;
  let last = null, added = 0;
  const send = async () => {
    for (let next; (next = waiting.shift());) {
      try {
        last = await sendFile(next.file, next.row);
        added++;
        next.row.remove();
      } catch (fault) {
        fail(next.row, fault.message);
      }
    }
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, send));
  $("uploads").hidden = !$("uploads").children.length;
  if (!added) return;
  filter = null;
  await Promise.all([refreshState(), list()]);
  if (added === 1) await open(last.id);
  else say(`${added} images were added.`);
});

async function sendFile(file, row) {
  if (file.size > state.maxUploadBytes) throw new Error(`The file has ${Math.ceil(file.size / 2 ** 20)} MB; at most ${Math.floor(state.maxUploadBytes / 2 ** 20)} are taken.`);
  for (let wait = 500; ; wait *= 2) {
    row.lastChild.textContent = "sending";
    try {
      return await call("POST", "/api/images", file, "application/octet-stream");
    } catch (fault) {
      if (fault.status !== 503 || wait > 8000) throw fault;
      row.lastChild.textContent = "waiting: there is much to do";
      await new Promise(done => setTimeout(done, wait));
    }
  }
}

function fail(row, message) {
  row.className = "failed";
  row.lastChild.textContent = message;
  row.append(element("button", {
    type: "button", textContent: "×", ariaLabel: `Dismiss ${row.firstChild.textContent}`,
    onclick: () => {
      row.remove();
      $("uploads").hidden = !$("uploads").children.length;
    },
  }));
}

$("add").onclick = () => $("files").click();
$("files").onchange = () => {
  upload([...$("files").files]);
  $("files").value = "";
};
addEventListener("paste", event => upload([...event.clipboardData.files]));
addEventListener("dragover", event => {
  event.preventDefault();
  $("drop").hidden = !event.dataTransfer.types.includes("Files");
});
addEventListener("dragleave", event => $("drop").hidden ||= !event.relatedTarget);
addEventListener("drop", event => {
  event.preventDefault();
  $("drop").hidden = true;
  upload([...event.dataTransfer.files]);
});

// ---- keyboard

function move(key) {
  const tiles = [...(document.activeElement.closest(".grid") ?? $("grid")).querySelectorAll(".tile")];
  const at = tiles.indexOf(document.activeElement);
  if (at < 0) return tiles[0]?.focus();
  const below = tiles.findIndex(t => t.offsetTop > tiles[0].offsetTop), columns = below < 0 ? tiles.length : below;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  tiles[at + by]?.focus();
}

addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && selected) return close();
  if (event.target.closest("input:not([type=radio]), select") || (event.target.type === "radio" && event.key.startsWith("Arrow"))) return;
  const action = {
    a: () => $("files").click(), t: train, j: () => step(1), k: () => step(-1),
    l: () => selected && $("label").focus(), 1: () => choose("picture"), 2: () => choose("masks"), 3: () => choose("attention"),
    ArrowLeft: () => move(event.key), ArrowRight: () => move(event.key), ArrowUp: () => move(event.key), ArrowDown: () => move(event.key),
  }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

function choose(name) {
  if (!selected || (name === "attention" && $("attention-choice").hidden)) return;
  setView(name);
  showView();
}

// ---- start

attempt(async () => {
  await refreshState();
  await list();
})();
