package io.peft4j.core.io;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.UUID;

/**
 * Who holds the lock of a folder, as its file says.
 *
 * @param pid the process
 * @param host its host
 * @param since when it took the lock, for people; nothing is decided by it
 * @param token no other lock has it
 * @param mark the {@link ProcessMark}; {@value #NO_MARK} where the system has none
 */
record LockOwner(long pid, String host, String since, String token, String mark) {
    private static final String NO_MARK = "-";
    /** The mark may be missing. */
    private static final int FEWEST_WORDS = 4;

    /** This process, from now on. */
    static LockOwner current() {
        long pid = ProcessHandle.current().pid();
        return new LockOwner(pid, Host.NAME, Instant.now().toString(), UUID.randomUUID().toString(),
                ProcessMark.of(pid).orElse(NO_MARK));
    }

    /** Empty for what was not written by this class, or only in part. */
    static Optional<LockOwner> parse(String content) {
        String[] words = content.strip().split("\\s+");
        try {
            return words.length < FEWEST_WORDS || words.length > FEWEST_WORDS + 1 ? Optional.empty()
                    : Optional.of(new LockOwner(Long.parseLong(words[0]), words[1], Instant.parse(words[2]).toString(),
                            words[3], words.length > FEWEST_WORDS ? words[FEWEST_WORDS] : NO_MARK));
        } catch (NumberFormatException | DateTimeParseException e) {
            return Optional.empty();
        }
    }

    String content() {
        return String.join(" ", String.valueOf(pid), host, since, token, mark) + "\n";
    }

    boolean isOnThisHost() {
        return host.equals(Host.NAME) || ProcessMark.isOfThisMachine(mark);
    }

    /** Whether the process has ended; its number may have gone to another. Never so of a process on another host. */
    boolean isGone() {
        return isOnThisHost() && !ProcessMark.of(pid).equals(Optional.of(mark));
    }

    String refusal(Path folder) {
        Path file = folder.resolve(FolderLock.FILE);
        if (!isOnThisHost()) {
            return folder + " is being written to by process " + pid + " on the host " + host + " since " + since
                    + ". If that process has ended, delete " + file + "; otherwise use another folder";
        }
        return pid == ProcessHandle.current().pid() ? folder + " is being written to by this process since " + since
                + "; wait until that has ended, or use another folder"
                : folder + " is being written to by process " + pid + " since " + since + "; wait until it has ended, "
                        + "or use another folder";
    }

    /** Found at the first use. */
    private static final class Host {
        static final String NAME = name().strip().replaceAll("\\s+", "-");

        private static String name() {
            try {
                return Files.readString(Path.of("/proc/sys/kernel/hostname"));
            } catch (IOException e) {
                // Not Linux.
                return Optional.ofNullable(System.getenv("COMPUTERNAME")).orElseGet(Host::byNetwork);
            }
        }

        private static String byNetwork() {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException e) {
                return "localhost";
            }
        }
    }

    /**
     * Tells a process from all others that have had its number or will have it. It uses no clock that can be
     * set: on Linux a mark is the start of the machine and the time from there to the start of the process.
     */
    static final class ProcessMark {
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
}
