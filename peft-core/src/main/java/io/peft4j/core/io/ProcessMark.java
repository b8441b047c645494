package io.peft4j.core.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Tells a process from all others that have had its number or will have it. No clock that somebody can set is asked: on
 * Linux a mark is the start of the machine and the time from there to the start of the process.
 */
final class ProcessMark {
    private static final Path PROCESSES = Path.of("/proc");
    /** Of what follows the name in a process's line, which begins with its state. */
    private static final int START = 19;

    private ProcessMark() {
    }

    /** The mark of a process that runs; empty where none has the number, or only one that has ended. */
    static Optional<String> of(long pid) {
        if (Machine.BOOT.isEmpty()) {
            return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).flatMap(process -> process.info()
                    .startInstant()).map(Object::toString);
        }
        try {
            String line = Files.readString(PROCESSES.resolve(pid + "/stat"));
            String[] fields = line.substring(line.lastIndexOf(')') + 1).strip().split(" ");
            boolean ended = fields[0].equals("Z") || fields[0].equals("X");
            return ended ? Optional.empty() : Optional.of(Machine.BOOT.get() + ":" + fields[START]);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Whether a mark is of a process of this machine since it was last started, in whatever container. */
    static boolean isOfThisMachine(String mark) {
        return Machine.BOOT.filter(boot -> mark.startsWith(boot + ":")).isPresent();
    }

    /** Found at the first use. */
    private static final class Machine {
        static final Optional<String> BOOT = boot();

        private static Optional<String> boot() {
            try {
                return Optional.of(Files.readString(PROCESSES.resolve("sys/kernel/random/boot_id")).strip());
            } catch (IOException e) {
                // Not Linux.
                return Optional.empty();
            }
        }
    }
}
