// Makes a passkey, or signs in with one: fills in a form that the page has
// hidden, and sends it. Where the browser cannot, the form stays hidden.
const form = document.querySelector("form[data-passkey]");
const can = globalThis.PublicKeyCredential;
if (form && can?.parseCreationOptionsFromJSON && can.parseRequestOptionsFromJSON) {
  const options = JSON.parse(form.dataset.options);
  const waiting = new AbortController();
  const send = (credential) => {
    form.elements.response.value = JSON.stringify(credential);
    form.submit();
  };
  const ask = (more) => form.dataset.passkey === "add"
    ? navigator.credentials.create({ publicKey: can.parseCreationOptionsFromJSON(options), ...more })
    : navigator.credentials.get({ publicKey: can.parseRequestOptionsFromJSON(options), ...more });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    waiting.abort();
    try {
      send(await ask());
    } catch {
      form.querySelector(".error").hidden = false; // declined, or it took too long
    }
  });
  form.parentElement.hidden = false;

  // The browser offers passkeys in the field of the address.
  if (form.dataset.passkey === "show" && await can.isConditionalMediationAvailable?.()) {
    ask({ mediation: "conditional", signal: waiting.signal }).then(send, () => {});
  }
}
