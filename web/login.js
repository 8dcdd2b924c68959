// Who is there? Asked only by a server that wants to know.
import { logIn } from './api.js';

function field(name, label, type, autocomplete) {
  const made = document.createElement('label');
  made.textContent = label;
  const input = document.createElement('input');
  Object.assign(input, { name, type, autocomplete, required: true });
  made.append(input);
  return { made, input };
}

export class Login {
  constructor(root, onDone) {
    const form = document.createElement('form');
    form.className = 'login';
    const heading = document.createElement('h1');
    heading.textContent = 'Log in';
    const name = field('name', 'Name', 'text', 'username');
    const password = field('password', 'Password', 'password', 'current-password');
    const problem = document.createElement('p');
    problem.setAttribute('role', 'alert');
    const button = document.createElement('button');
    button.textContent = 'Log in';
    form.append(heading, name.made, password.made, problem, button);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      button.disabled = true;
      problem.textContent = '';
      try {
        await logIn(name.input.value, password.input.value);
        onDone();
      } catch (error) {
        problem.textContent = words[error.status] ?? error.message;
        password.input.select();
      } finally {
        button.disabled = false;
      }
    });
    root.replaceChildren(form);
    name.input.focus();
  }

  close() {}
}

const words = {
  401: 'Name or password is wrong.',
  429: 'Too many attempts: wait a minute and try again.',
};
