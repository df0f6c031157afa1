// SPDX-License-Identifier: Apache-2.0
internal import Glibc

extension FaultyThread {
    /// Brings the fault upon the thread that calls this; returns a number of errno(3), 0 when it is there.
    static func inject(_ fault: Fault) -> Int32 {
        switch fault {
        case .refusing(let calls, with: let number): filter(calls.flatMap(\.numbers), number)
        case .actingAs(let uid): actAs(uid)
        }
    }

    /// One instruction of a classic BPF program, `struct sock_filter`.
    private struct Instruction {
        var code: UInt16
        var ifTrue: UInt8 = 0
        var ifFalse: UInt8 = 0
        var value: UInt32
    }

    /// `struct sock_fprog`.
    private struct Program {
        var count: UInt16
        var instructions: UnsafeMutablePointer<Instruction>?
    }

    /// Loads the call's number, compares it with each of those refused, and answers.
    private static func filter(_ numbers: [UInt32], _ error: Int32) -> Int32 {
        var program = [Instruction(code: 0x20, value: 0)]
        for (index, number) in numbers.enumerated() {
            program.append(Instruction(code: 0x15, ifTrue: UInt8(numbers.count - index), value: number))
        }
        let (allow, refuse): (UInt32, UInt32) = (0x7FFF_0000, 0x0005_0000 | UInt32(error))
        program += [Instruction(code: 0x06, value: allow), Instruction(code: 0x06, value: refuse)]
        let (noNewPrivileges, setFilter): (Int32, Int32) = (38, 22)
        guard let prctl = symbol("prctl") else { return ENOSYS }
        guard prctl(noNewPrivileges, 1, 0, 0, 0) == 0 else { return errno }
        let loaded = program.withUnsafeMutableBufferPointer { instructions in
            var filter = Program(count: UInt16(instructions.count), instructions: instructions.baseAddress)
            return withUnsafeMutablePointer(to: &filter) { prctl(setFilter, 2, UInt(bitPattern: $0), 0, 0) }
        }
        return loaded == 0 ? 0 : errno
    }

    private static func actAs(_ uid: UInt32) -> Int32 {
        guard let setfsuid = symbol("setfsuid") else { return ENOSYS }
        _ = setfsuid(Int32(bitPattern: uid), 0, 0, 0, 0)
        // It returns the user before it, and no error: the second call tells.
        return setfsuid(-1, 0, 0, 0, 0) == Int32(bitPattern: uid) ? 0 : EPERM
    }

    private typealias Function = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32

    /// A function of the C library that Swift does not import; those here take whole numbers and ignore what is over.
    private static func symbol(_ name: String) -> Function? {
        dlsym(nil, name).map { unsafeBitCast($0, to: Function.self) }
    }
}

extension FaultyThread.SystemCall {
    /// The numbers of the calls behind the C library's function (syscalls(2)).
    fileprivate var numbers: [UInt32] {
        #if arch(x86_64)
        switch self {
        case .fchown: [93]
        case .flock: [73]
        case .fstatat: [262]
        case .fsync: [74]
        case .openat: [257]
        case .renameat: [264, 316]
        case .symlinkat: [266]
        case .unlinkat: [263]
        case .write: [1]
        }
        #else
        switch self {
        case .fchown: [55]
        case .flock: [32]
        case .fstatat: [79]
        case .fsync: [82]
        case .openat: [56]
        case .renameat: [38, 276]
        case .symlinkat: [36]
        case .unlinkat: [35]
        case .write: [64]
        }
        #endif
    }
}
