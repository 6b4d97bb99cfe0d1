//! What an action comes to.

use std::fmt;

/// What an action comes to.
#[derive(Debug)]
pub enum Outcome {
    /// It worked.
    Ok,
    /// The kernel said no.
    Errno(i32),
    /// Anything else worth saying.
    Said(String),
}

impl Outcome {
    /// From a result of a system call: `None` is success.
    pub fn of(errno: Option<i32>) -> Outcome {
        errno.map_or(Outcome::Ok, Outcome::Errno)
    }

    /// From the standard library.
    pub fn from_io<T>(result: std::io::Result<T>) -> Outcome {
        match result {
            Ok(_) => Outcome::Ok,
            Err(error) => {
                error.raw_os_error().map_or_else(|| Outcome::Said(error.to_string()), Outcome::Errno)
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Ok => f.write_str("ok"),
            Outcome::Said(text) => f.write_str(text),
            Outcome::Errno(number) => match NAMES.iter().find(|(n, _)| n == number) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "errno {number}"),
            },
        }
    }
}

macro_rules! names {
    ($($name:ident),* $(,)?) => {
        &[$((libc::$name, stringify!($name)),)*]
    };
}

const NAMES: &[(i32, &str)] = names![
    EPERM,
    ENOENT,
    ESRCH,
    EINTR,
    EIO,
    ENXIO,
    E2BIG,
    ENOEXEC,
    EBADF,
    ECHILD,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    ENOTBLK,
    EBUSY,
    EEXIST,
    EXDEV,
    ENODEV,
    ENOTDIR,
    EISDIR,
    EINVAL,
    ENFILE,
    EMFILE,
    ENOTTY,
    ETXTBSY,
    EFBIG,
    ENOSPC,
    ESPIPE,
    EROFS,
    EMLINK,
    EPIPE,
    EDOM,
    ERANGE,
    EDEADLK,
    ENAMETOOLONG,
    ENOLCK,
    ENOSYS,
    ENOPKG,
    ENOTEMPTY,
    ELOOP,
    ENOMSG,
    EIDRM,
    ENODATA,
    ETIME,
    ENOSR,
    EBADMSG,
    EOVERFLOW,
    EBADFD,
    EILSEQ,
    EUSERS,
    ENOTSOCK,
    EDESTADDRREQ,
    EMSGSIZE,
    EPROTOTYPE,
    ENOPROTOOPT,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
    EOPNOTSUPP,
    EPFNOSUPPORT,
    EAFNOSUPPORT,
    EADDRINUSE,
    EADDRNOTAVAIL,
    ENETDOWN,
    ENETUNREACH,
    ECONNABORTED,
    ECONNRESET,
    ENOBUFS,
    EISCONN,
    ENOTCONN,
    ETIMEDOUT,
    ECONNREFUSED,
    EHOSTDOWN,
    EHOSTUNREACH,
    EALREADY,
    EINPROGRESS,
    ESTALE,
    EDQUOT,
    ECANCELED,
    ENOKEY,
    EKEYEXPIRED,
    EKEYREVOKED,
    EKEYREJECTED,
];
