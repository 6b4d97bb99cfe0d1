//! The architectures that the lists are compiled for.

/// An architecture of the kernel's system call interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

/// Where x32, the third interface of an x86_64 kernel, keeps its numbers.
const X32_BIT: u32 = 0x4000_0000;

/// The number -1: what a tracer writes to skip a call.
const SKIPPED: u32 = u32::MAX;

impl Arch {
    /// Every architecture.
    pub const ALL: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

    /// Finds an architecture by the name that Rust gives it.
    pub fn named(name: &str) -> Option<Arch> {
        match name {
            "x86_64" => Some(Arch::X86_64),
            "aarch64" => Some(Arch::Aarch64),
            _ => None,
        }
    }

    /// The kernel's `AUDIT_ARCH_*` token, which stands in `seccomp_data.arch`.
    pub fn token(self) -> u32 {
        match self {
            Arch::X86_64 => 0xc000_003e,
            Arch::Aarch64 => 0xc000_00b7,
        }
    }

    /// The numbers that belong to another interface under the same token, as first and last. Calling them is an
    /// attack on filters that compare the token only.
    pub(crate) fn foreign_numbers(self) -> Option<(u32, u32)> {
        match self {
            Arch::X86_64 => Some((X32_BIT, SKIPPED - 1)),
            Arch::Aarch64 => None,
        }
    }
}
