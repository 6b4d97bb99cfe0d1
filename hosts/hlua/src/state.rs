//! The Lua API as hlua uses it: all calls of it are here.
//!
//! A Lua error is a jump out of the running function. The rule that makes this sound: **no value with
//! a destructor lives in a frame that an error may leave.** So host code that calls what may raise
//! runs inside [`State::call_protected`] and holds only borrowed and `Copy` values; what it owns lives
//! in the frame of the caller. Stack indices are the caller's business, as in C.
#![allow(unsafe_code, reason = "the Lua API is C")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use mlua::ffi;

use crate::account::{self, ACCOUNT, Account};
use crate::interrupt;

/// All results of a call.
pub const MULTIPLE: c_int = ffi::LUA_MULTRET;
/// The registry.
pub const REGISTRY: c_int = ffi::LUA_REGISTRYINDEX;

unsafe extern "C" {
    /// Lua's own words about its release, between dollar signs.
    static lua_ident: c_char;
}

/// Release and copyright, as `lua -v` prints them.
pub fn copyright() -> &'static [u8] {
    // SAFETY: a constant C string of Lua's.
    let ident = unsafe { CStr::from_ptr(&raw const lua_ident) }.to_bytes();
    let text = ident.strip_prefix(b"$LuaVersion: ").unwrap_or(ident);
    let end = text.windows(2).position(|pair| pair == b" $");
    &text[..end.unwrap_or(text.len())]
}

/// A Lua state.
#[derive(Clone, Copy)]
pub struct State(*mut ffi::lua_State);

/// How a load or a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Well.
    Done,
    /// The chunk does not parse.
    Syntax,
    /// With any other error.
    Error,
}

impl Status {
    fn of(code: c_int) -> Self {
        match code {
            ffi::LUA_OK => Status::Done,
            ffi::LUA_ERRSYNTAX => Status::Syntax,
            _ => Status::Error,
        }
    }
}

/// The types that the host asks about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `nil`, or no value.
    Nothing,
    /// A string.
    String,
    /// A table.
    Table,
    /// Any other.
    Other,
}

/// Work for [`State::call_protected`]: the value stays with the caller.
struct Job<'a, F>(&'a mut F);

impl State {
    /// A new state whose memory is counted in `account`.
    pub fn new(account: &'static Account) -> Option<Self> {
        // SAFETY: a state belongs to nobody before it is returned; the allocator that takes over
        // frees what malloc gave, as Lua's own does.
        unsafe {
            let raw = ffi::luaL_newstate();
            if raw.is_null() {
                return None;
            }
            let kib = ffi::lua_gc(raw, ffi::LUA_GCCOUNT);
            let rest = ffi::lua_gc(raw, ffi::LUA_GCCOUNTB);
            account.start_with(kib as usize * 1024 + rest as usize);
            ffi::lua_setallocf(raw, account::allocate, account.as_pointer());
            Some(State(raw))
        }
    }

    /// Ends the state, and the process soon after; finalizers run.
    pub fn close(self) {
        ACCOUNT.approach_end();
        // SAFETY: called once, by the owner, at the end.
        unsafe { ffi::lua_close(self.0) }
    }

    /// Has the state keep its memory once the last finalizer has run: Lua calls them in the reverse order in which they were
    /// set, and this is to be the first.
    pub fn watch_end(self) {
        // SAFETY: the state is alive, and the table and the userdata are on the stack.
        unsafe {
            ffi::lua_newuserdatauv(self.0, 0, 0);
            self.push_table(0, 1);
            self.push_function(|_| {
                ACCOUNT.keep_blocks();
                0
            });
            self.set_field(-2, c"__gc");
            ffi::lua_setmetatable(self.0, -2);
        }
        self.set_field(REGISTRY, c"hlua.end");
    }

    /// Opens the standard libraries.
    pub fn open_libraries(self) {
        // SAFETY: the state is alive; this holds for every method below.
        unsafe { ffi::luaL_openlibs(self.0) }
    }

    /// No collection while the state is built.
    pub fn stop_collector(self) {
        // SAFETY: as above.
        unsafe { ffi::lua_gc(self.0, ffi::LUA_GCSTOP) };
    }

    /// The collector as the stand-alone interpreter sets it.
    pub fn start_generational_collector(self) {
        // SAFETY: as above; zeros keep the parameters.
        unsafe {
            ffi::lua_gc(self.0, ffi::LUA_GCRESTART);
            ffi::lua_gc(self.0, ffi::LUA_GCGEN, 0 as c_int, 0 as c_int);
        }
    }

    /// Runs `work` inside a protected call; on error the message is on the stack.
    pub fn call_protected<F: FnMut(State)>(self, mut work: F) -> Status {
        let mut job = Job(&mut work);
        // SAFETY: the job outlives the call, and only `run_job::<F>` reads it.
        unsafe {
            ffi::lua_pushcclosure(self.0, run_job::<F>, 0);
            ffi::lua_pushlightuserdata(self.0, (&raw mut job).cast());
        }
        self.call(1, 0, 0)
    }

    /// `lua_pcall`.
    pub fn call(self, arguments: c_int, results: c_int, handler: c_int) -> Status {
        // SAFETY: function and arguments are on the stack.
        Status::of(unsafe { ffi::lua_pcall(self.0, arguments, results, handler) })
    }

    /// The same with a traceback for errors, and stopped by SIGINT.
    pub fn call_traced(self, arguments: c_int, results: c_int) -> Status {
        let base = self.top() - arguments;
        self.push_function(traced);
        self.insert(base);
        interrupt::watch(self.0);
        let status = self.call(arguments, results, base);
        interrupt::unwatch();
        self.remove(base);
        status
    }

    /// Loads a chunk from memory.
    pub fn load(self, text: &[u8], name: &CStr) -> Status {
        // SAFETY: the slice and the name live during the call.
        Status::of(unsafe {
            let text_pointer = text.as_ptr().cast::<c_char>();
            ffi::luaL_loadbufferx(self.0, text_pointer, text.len(), name.as_ptr(), ptr::null())
        })
    }

    /// Loads a chunk from a file, or from standard input.
    pub fn load_file(self, name: Option<&CStr>) -> Status {
        let name = name.map_or(ptr::null(), CStr::as_ptr);
        // SAFETY: the name lives during the call.
        Status::of(unsafe { ffi::luaL_loadfilex(self.0, name, ptr::null()) })
    }

    /// Raises `message` with the position of the caller. Nothing in the frames that this leaves may
    /// have a destructor.
    pub fn raise(self, message: &CStr) -> ! {
        // SAFETY: luaL_error does not return.
        unsafe {
            ffi::luaL_error(self.0, c"%s".as_ptr(), message.as_ptr());
        }
        unreachable!("luaL_error returned")
    }

    /// Pushes a function written in Rust. It is a plain function, so that nothing of it needs keeping.
    pub fn push_function<F: Fn(State) -> c_int + Copy>(self, _function: F) {
        const { assert!(size_of::<F>() == 0, "a closure with captures has no place to live") };
        // SAFETY: as above.
        unsafe { ffi::lua_pushcclosure(self.0, run_function::<F>, 0) }
    }

    /// Pushes a string.
    pub fn push_bytes(self, text: &[u8]) {
        // SAFETY: Lua copies the bytes.
        unsafe {
            ffi::lua_pushlstring(self.0, text.as_ptr().cast(), text.len());
        }
    }

    /// Pushes a boolean.
    pub fn push_boolean(self, value: bool) {
        // SAFETY: as above.
        unsafe { ffi::lua_pushboolean(self.0, value.into()) }
    }

    /// Pushes `nil`.
    pub fn push_nil(self) {
        // SAFETY: as above.
        unsafe { ffi::lua_pushnil(self.0) }
    }

    /// Pushes a copy of a value.
    pub fn push_copy(self, index: c_int) {
        // SAFETY: the caller names a value.
        unsafe { ffi::lua_pushvalue(self.0, index) }
    }

    /// Pushes an empty table with room.
    pub fn push_table(self, sequence: c_int, fields: c_int) {
        // SAFETY: as above.
        unsafe { ffi::lua_createtable(self.0, sequence, fields) }
    }

    /// Pushes a global.
    pub fn get_global(self, name: &CStr) -> Kind {
        // SAFETY: as above.
        unsafe { ffi::lua_getglobal(self.0, name.as_ptr()) };
        self.kind(-1)
    }

    /// Pops a value into a global.
    pub fn set_global(self, name: &CStr) {
        // SAFETY: as above.
        unsafe { ffi::lua_setglobal(self.0, name.as_ptr()) }
    }

    /// Pops a value into the global whose name lies beneath it, which goes too.
    pub fn set_named_global(self) {
        // SAFETY: name and value are on the stack.
        unsafe {
            ffi::lua_pushglobaltable(self.0);
            ffi::lua_insert(self.0, -3);
            ffi::lua_settable(self.0, -3);
            ffi::lua_pop(self.0, 1);
        }
    }

    /// Pushes a field.
    pub fn get_field(self, index: c_int, name: &CStr) -> Kind {
        // SAFETY: the caller names a table.
        unsafe { ffi::lua_getfield(self.0, index, name.as_ptr()) };
        self.kind(-1)
    }

    /// Pops a value into a field.
    pub fn set_field(self, index: c_int, name: &CStr) {
        // SAFETY: the caller names a table.
        unsafe { ffi::lua_setfield(self.0, index, name.as_ptr()) }
    }

    /// Pops a value into an array slot.
    pub fn set_slot(self, index: c_int, slot: i64) {
        // SAFETY: the caller names a table.
        unsafe { ffi::lua_rawseti(self.0, index, slot) }
    }

    /// Pushes an array slot's value.
    pub fn get_slot(self, index: c_int, slot: i64) {
        // SAFETY: the caller names a table.
        unsafe {
            ffi::lua_rawgeti(self.0, index, slot);
        }
    }

    /// The length, with metamethods.
    pub fn length(self, index: c_int) -> i64 {
        // SAFETY: the caller names a value.
        unsafe { ffi::luaL_len(self.0, index) }
    }

    /// A string (or number) as bytes; they stay while the value is on the stack.
    pub fn bytes(&self, index: c_int) -> Option<&[u8]> {
        let mut length = 0;
        // SAFETY: Lua gives a pointer and its length, or null.
        unsafe {
            let text = ffi::lua_tolstring(self.0, index, &raw mut length);
            (!text.is_null()).then(|| std::slice::from_raw_parts(text.cast::<u8>(), length))
        }
    }

    /// Pushes what `tostring` makes of a value.
    pub fn push_text_of(self, index: c_int) {
        // SAFETY: the caller names a value.
        unsafe {
            ffi::luaL_tolstring(self.0, index, ptr::null_mut());
        }
    }

    /// The kind of a value.
    pub fn kind(self, index: c_int) -> Kind {
        // SAFETY: any acceptable index will do.
        match unsafe { ffi::lua_type(self.0, index) } {
            ffi::LUA_TNIL | ffi::LUA_TNONE => Kind::Nothing,
            ffi::LUA_TSTRING => Kind::String,
            ffi::LUA_TTABLE => Kind::Table,
            _ => Kind::Other,
        }
    }

    /// Pushes the result of a metamethod, if there is one.
    pub fn call_metamethod(self, index: c_int, name: &CStr) -> bool {
        // SAFETY: the caller names a value.
        unsafe { ffi::luaL_callmeta(self.0, index, name.as_ptr()) != 0 }
    }

    /// Pushes a message that ends with `what`'s type: `(error object is a table value)`.
    pub fn push_kind_message(self, before: &CStr, index: c_int, after: &CStr) {
        // SAFETY: three strings for three places.
        unsafe {
            let name = ffi::luaL_typename(self.0, index);
            ffi::lua_pushfstring(self.0, c"%s%s%s".as_ptr(), before.as_ptr(), name, after.as_ptr());
        }
    }

    /// Pushes the string at `index` (up to a zero byte) with a traceback.
    pub fn push_traceback(self, index: c_int) {
        // SAFETY: the message stays on the stack meanwhile.
        unsafe {
            let message = ffi::lua_tolstring(self.0, index, ptr::null_mut());
            ffi::luaL_traceback(self.0, self.0, message, 1);
        }
    }

    /// Joins the topmost values.
    pub fn concatenate(self, count: c_int) {
        // SAFETY: the caller has pushed so many.
        unsafe { ffi::lua_concat(self.0, count) }
    }

    /// Room for `count` more values, or an error with `message`.
    pub fn need_room(self, count: c_int, message: &CStr) {
        // SAFETY: as above.
        unsafe { ffi::luaL_checkstack(self.0, count, message.as_ptr()) }
    }

    /// How many values are on the stack.
    pub fn top(self) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::lua_gettop(self.0) }
    }

    /// Sets how many values are on the stack.
    pub fn set_top(self, index: c_int) {
        // SAFETY: as above.
        unsafe { ffi::lua_settop(self.0, index) }
    }

    /// Drops the topmost values.
    pub fn pop(self, count: c_int) {
        // SAFETY: as above.
        unsafe { ffi::lua_pop(self.0, count) }
    }

    /// Moves the topmost value down.
    pub fn insert(self, index: c_int) {
        // SAFETY: as above.
        unsafe { ffi::lua_insert(self.0, index) }
    }

    /// Takes a value out.
    pub fn remove(self, index: c_int) {
        // SAFETY: as above.
        unsafe { ffi::lua_remove(self.0, index) }
    }

    /// Sends a whole message to the warning system.
    pub fn warn(self, message: &CStr) {
        // SAFETY: as above.
        unsafe { ffi::lua_warning(self.0, message.as_ptr(), 0) }
    }
}

/// The message handler of the stand-alone interpreter.
fn traced(lua: State) -> c_int {
    if lua.bytes(1).is_none() {
        if lua.call_metamethod(1, c"__tostring") && lua.kind(-1) == Kind::String {
            return 1;
        }
        lua.push_kind_message(c"(error object is a ", 1, c" value)");
        lua.push_traceback(-1);
        return 1;
    }
    lua.push_traceback(1);
    1
}

unsafe extern "C-unwind" fn run_job<F: FnMut(State)>(raw: *mut ffi::lua_State) -> c_int {
    // SAFETY: the only argument is the job that `call_protected::<F>` pushed; it is alive.
    let job = unsafe { &mut *ffi::lua_touserdata(raw, 1).cast::<Job<'_, F>>() };
    // SAFETY: the job is off the stack before the work begins, as if there were no argument.
    unsafe { ffi::lua_settop(raw, 0) };
    (job.0)(State(raw));
    0
}

unsafe extern "C-unwind" fn run_function<F: Fn(State) -> c_int + Copy>(raw: *mut ffi::lua_State) -> c_int {
    // SAFETY: F has no bytes (checked where it was pushed) and a value of it was given there, so
    // this copies nothing into being that did not exist.
    let function: F = unsafe { ptr::NonNull::<F>::dangling().read() };
    function(State(raw))
}
