// hnode's own module, which runs before anything of the user's, in every realm and thread. It is a builtin: it has Node's
// own `require`, `internalBinding` and `primordials`, which no script has changed. What it refuses are manners, not the wall:
// the kernel stands behind it.
//
// REFUSED, before this line, has a sentence for each thing that this policy refuses.

const {
  ArrayPrototypeFilter,
  ArrayPrototypePush,
  Error,
  ErrorCaptureStackTrace,
  FunctionPrototypeCall,
  ObjectDefineProperty,
  ObjectFreeze,
  ObjectGetOwnPropertyDescriptor,
  ObjectIsFrozen,
  ReflectApply,
  RegExpPrototypeExec,
  SafeSet,
} = primordials;

// An error as Node's own permission model throws it, and what system calls' errors have beside.
function refusal(what, syscall, path, above) {
  const error = new Error(REFUSED[what]);
  const details = { __proto__: null, code: 'ERR_ACCESS_DENIED', syscall, path };
  for (const name in details) {
    if (details[name] !== undefined) {
      const value = details[name];
      ObjectDefineProperty(error, name,
                           { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    }
  }
  ErrorCaptureStackTrace(error, above);
  return error;
}

// Replaces a method; the new one looks like the old one.
function replace(object, name, make) {
  const descriptor = ObjectGetOwnPropertyDescriptor(object, name);
  if (descriptor === undefined || typeof descriptor.value !== 'function') return;
  const old = descriptor.value;
  const value = make(old);
  ObjectDefineProperty(value, 'name', { __proto__: null, value: old.name, configurable: true });
  ObjectDefineProperty(value, 'length', { __proto__: null, value: old.length, configurable: true });
  ObjectDefineProperty(object, name, {
    __proto__: null,
    value,
    writable: descriptor.writable,
    enumerable: descriptor.enumerable,
    configurable: descriptor.configurable,
  });
}

// Lets a method throw, if the policy refuses it.
function refuse(object, name, what, syscall = name, path = () => undefined) {
  if (REFUSED[what] === undefined) return;
  replace(object, name, () => function refused(first) {
    throw refusal(what, syscall, path(first), refused);
  });
}

// The options of a program that is to be started name it.
function program(options) {
  const file = options === null || typeof options !== 'object' ? undefined : options.file;
  return typeof file === 'string' ? file : undefined;
}

// Every way to start a program ends in one of these two functions, that of process.binding as well.
refuse(internalBinding('process_wrap').Process.prototype, 'spawn', 'child_process.spawn', 'spawn', program);
refuse(internalBinding('spawn_sync'), 'spawn', 'child_process.spawnSync', 'spawnSync', program);

if (NEUTERING) {
  refuse(process, 'dlopen', 'native code');
  for (const name of ['setuid', 'setgid', 'seteuid', 'setegid', 'setgroups', 'initgroups']) {
    refuse(process, name, 'setuid');
  }
  for (const name of ['_debugProcess', '_debugEnd']) refuse(process, name, 'inspector', 'kill');
  if (process.report !== undefined) refuse(process.report, 'writeReport', 'process.report', 'open');
  settleSignals();
  settleFlags();
  settleBindings();
  settleInspector();
}
settleMachine();
hide();
require('module').syncBuiltinESMExports();

// A script may signal its own process, and with programs the kernel keeps signals within the sandbox.
function settleSignals() {
  if (REFUSED['child_process.spawn'] === undefined) return;
  const own = process.pid;
  replace(process, '_kill', (kill) => function(pid, signal) {
    if (pid !== own) throw refusal('kill', 'kill', undefined, process.kill);
    return FunctionPrototypeCall(kill, process, pid, signal);
  });
}

// Flags of V8 that change how fast a script runs, or what it is told, and nothing else. They are matched at once: methods
// that split or replace ask the prototypes of strings and expressions, which a script may have changed.
const FLAGS = new RegExp('^(\\s*--(no[-_])?(expose[-_]gc|opt|sparkplug|harmony([-_][a-z0-9_-]+)?|use[-_]strict|' +
  'trace[-_][a-z_-]+|stack[-_]trace[-_]limit=\\d+|max[-_](old|semi)[-_]space[-_]size=\\d+|max[-_]lazy|lazy|' +
  'lite[-_]mode|optimize[-_]for[-_]size|jitless)(?=\\s|$))+\\s*$');

function settleFlags() {
  replace(internalBinding('v8'), 'setFlagsFromString', (set) => function setFlagsFromString(flags) {
    const text = `${flags}`;
    if (RegExpPrototypeExec(FLAGS, text) === null) {
      throw refusal('v8.setFlagsFromString', undefined, undefined, setFlagsFromString);
    }
    return FunctionPrototypeCall(set, this, text);
  });
}

// process.binding keeps what old packages look for, all but what only a debugger or a way around child_process needs.
function settleBindings() {
  const closed = new SafeSet(['inspector']);
  if (REFUSED['child_process.spawn'] !== undefined) for (const name of ['spawn_sync', 'process_wrap']) closed.add(name);
  for (const name of ['binding', '_linkedBinding']) {
    replace(process, name, (binding) => function(module) {
      // Once: the second time an object could have another name.
      const text = `${module}`;
      if (closed.has(text)) throw refusal('process.binding', undefined, undefined, process[name]);
      return FunctionPrototypeCall(binding, process, text);
    });
  }
}

function settleInspector() {
  const inspector = require('inspector');
  refuse(inspector, 'open', 'inspector');
  refuse(inspector, 'waitForDebugger', 'inspector');
  for (const name of ['connect', 'connectToMainThread']) refuse(inspector.Session.prototype, name, 'inspector');
}

// What Node finds out through files and sockets that are closed has an answer that programs can live with.
function settleMachine() {
  const os = require('os');
  replace(os, 'cpus', (cpus) => function() {
    const known = ReflectApply(cpus, os, []);
    if (known.length > 0) return known;
    const count = internalBinding('os').getAvailableParallelism?.() ?? 1;
    for (let i = 0; i < count; i++) {
      const times = { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 };
      ArrayPrototypePush(known, { model: 'unknown', speed: 0, times });
    }
    return known;
  });
  replace(os, 'networkInterfaces', (interfaces) => function() {
    try {
      return ReflectApply(interfaces, os, []);
    } catch {
      return {};
    }
  });
  // Without HOME it is in the list of accounts, which is not granted.
  replace(os, 'homedir', (homedir) => function() {
    try {
      return ReflectApply(homedir, os, []);
    } catch {
      return '/';
    }
  });
  replace(os, 'userInfo', (info) => function(options) {
    try {
      return ReflectApply(info, os, [options]);
    } catch {
      const { USER: username = '', HOME: homedir = '' } = process.env;
      return { __proto__: null, uid: process.getuid(), gid: process.getgid(), username, homedir, shell: null };
    }
  });
}

// Nothing shows that this module was here.
function hide() {
  const { BuiltinModule } = require('internal/bootstrap/realm');
  const { Module } = require('internal/modules/cjs/loader');
  const unless = (may) => (id) => id !== 'hnode' && ReflectApply(may, BuiltinModule, [id]);
  for (const name of ['canBeRequiredByUsers', 'canBeRequiredByUsersWithoutScheme', 'isBuiltin']) {
    replace(BuiltinModule, name, unless);
  }
  replace(Module, 'isBuiltin', unless);
  BuiltinModule.map.delete('hnode');
  const names = ArrayPrototypeFilter(Module.builtinModules, (name) => name !== 'hnode');
  Module.builtinModules = ObjectIsFrozen(Module.builtinModules) ? ObjectFreeze(names) : names;
}
