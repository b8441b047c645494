package io.peft4j.core;

import static net.bytebuddy.matcher.ElementMatchers.isConstructor;
import static net.bytebuddy.matcher.ElementMatchers.isStatic;
import static net.bytebuddy.matcher.ElementMatchers.nameContains;
import static net.bytebuddy.matcher.ElementMatchers.nameStartsWith;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.namedOneOf;
import static net.bytebuddy.matcher.ElementMatchers.none;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import io.peft4j.core.array.NativeMemory;
import java.io.IOException;
import java.lang.StackWalker.StackFrame;
import java.lang.instrument.Instrumentation;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.bytebuddy.agent.ByteBuddyAgent;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.matcher.ElementMatcher;

/**
 * Makes the steps fail that a system may refuse: memory, threads that start, files that are opened, written, moved,
 * locked or mapped, statements of the database, sockets. The classes of JDK, ND4J and driver themselves are changed, so
 * that nothing under test knows of it; what a client in this process does continues.
 */
public final class Faults implements AutoCloseable {
    private static final String HOOK = "peft4j.faults";
    private static final Instrumentation AGENT = install();

    private final Set<Step> steps;
    private final boolean error;
    private final Predicate<String> which;
    private final long number;
    private final AtomicLong met = new AtomicLong();
    private final AtomicLong buffers = new AtomicLong();
    private volatile String failed = "";

    /** What may fail. */
    public enum Step {
        /** A thread is started. */
        THREAD,
        /** A file is opened, written, moved, deleted, locked or mapped. */
        FILE,
        /** A statement of SQL is prepared or runs, BEGIN, COMMIT and ROLLBACK among them. */
        SQL,
        /** A socket is bound, or written to. */
        SOCKET,
        /** Memory beside the heap is allocated, by this project or by ND4J. */
        NATIVE,
        /** An object of a training, of the server, of a task of Spark or of what answers is made. */
        HEAP
    }

    private Faults(Set<Step> steps, boolean error, Predicate<String> which, long number) {
        this.steps = steps;
        this.error = error;
        this.which = which;
        this.number = number;
        System.getProperties().put(HOOK, (BiFunction<String, Object[], Throwable>) this::meet);
    }

    /** Lets step number {@code number} of these fail, from 1. */
    public static Faults at(long number, boolean error, Set<Step> steps) {
        return new Faults(EnumSet.copyOf(steps), error, what -> true, number);
    }

    /** Lets the first step of a place fail, which is one of those that were noted. */
    public static Faults at(String place, boolean error, Step step) {
        return new Faults(EnumSet.of(step), error, what -> place.equals(lines()), 1);
    }

    /**
     * Lets nothing fail, and notes the places where steps are made: the lines of this project that lead to each. A file
     * of each checkpoint is written by the same ones, and is given up in the same way.
     */
    public static Faults noting(Step step, Set<String> places) {
        return where(step, false, what -> {
            places.add(lines());
            return false;
        });
    }

    private static String lines() {
        return StackWalker.getInstance().walk(frames -> frames.filter(frame -> frame.getClassName()
                .startsWith("io.peft4j.") && !frame.getClassName().endsWith("Test")
                && !frame.getClassName()
                        .startsWith(Faults.class.getName()))
                .map(StackFrame::toString).collect(Collectors.joining(" ")));
    }

    /** Lets all steps fail whose names meet a condition. */
    public static Faults where(Step step, boolean error, Predicate<String> which) {
        return new Faults(EnumSet.of(step), error, which, 0);
    }

    /** How many more of ND4J's buffers are allocated than closed since; what the collector frees is not closed. */
    public long buffers() {
        return buffers.get();
    }

    /** The files of a folder that this process has open. */
    public static List<Path> openFiles(Path folder) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            for (Path file : files.toList()) {
                try {
                    found.add(Files.readSymbolicLink(file));
                } catch (IOException e) {
                    // The list's own, closed by now.
                    continue;
                }
            }
        }
        found.removeIf(file -> !file.startsWith(folder));
        return found;
    }

    /** What failed; empty where nothing did. */
    public String failed() {
        return failed;
    }

    @Override
    public void close() {
        System.getProperties().remove(HOOK);
    }

    /** What a step throws, or null. */
    private Throwable meet(String place, Object... values) {
        Throwable fault = place.endsWith(".closeBuffer") ? null : fault(place, values);
        if (fault == null && place.startsWith("org.nd4j")) {
            buffers.addAndGet(place.endsWith(".closeBuffer") ? -1 : 1);
        }
        return fault;
    }

    private Throwable fault(String place, Object... values) {
        Step step = step(place);
        if (!steps.contains(step) || number != 0 && met.get() >= number) {
            return null;
        }
        String thread = Thread.currentThread().getName();
        String what = place + " " + Arrays.toString(values);
        if (thread.startsWith("HttpClient") || step == Step.THREAD && !what.matches(
                ".*(peft4j|qtp|Scheduler|Session).*") || !which.test(what)) {
            return null;
        }
        long now = met.incrementAndGet();
        if (number != 0 && now != number) {
            return null;
        }
        failed = step + " " + what + " on " + thread;
        return error ? new OutOfMemoryError("injected") : switch (step) {
            case FILE, SOCKET -> new IOException("injected");
            case SQL -> new SQLException("injected");
            default -> new IllegalStateException("injected");
        };
    }

    private static Step step(String place) {
        if (place.startsWith("java.lang.Thread")) {
            return Step.THREAD;
        } else if (place.startsWith("java.nio.file") || place.startsWith("java.io") || place.contains(".FileChannel")) {
            return Step.FILE;
        } else if (place.startsWith("org.sqlite")) {
            return Step.SQL;
        } else if (place.contains(".NativeMemory") || place.startsWith("org.nd4j")) {
            return Step.NATIVE;
        }
        return place.startsWith("io.peft4j") ? Step.HEAP : Step.SOCKET;
    }

    /** What is done first in each of these methods; its code becomes theirs, so it knows the JDK alone. */
    private static final class Enter {
        private Enter() {
        }

        @Advice.OnMethodEnter
        @SuppressWarnings("unchecked")
        static void enter(@Advice.Origin("#t.#m") String place, @Advice.This(optional = true) Object self,
                @Advice.AllArguments Object[] values) throws Throwable {
            Object hook = System.getProperties().get("peft4j.faults");
            if (hook != null) {
                Throwable fault = ((BiFunction<String, Object[], Throwable>) hook).apply(place,
                        values.length == 0 ? new Object[] {self} : values);
                if (fault != null) {
                    throw fault;
                }
            }
        }
    }

    private static Instrumentation install() {
        Instrumentation agent = ByteBuddyAgent.install();
        AgentBuilder builder = new AgentBuilder.Default().disableClassFormatChanges()
                .with(AgentBuilder.RedefinitionStrategy.RETRANSFORMATION).ignore(none());
        builder = add(builder, named("java.lang.Thread"), named("start").and(takesArguments(0)));
        builder = add(builder, named(Files.class.getName()), isStatic().and(namedOneOf("move", "copy", "delete",
                "deleteIfExists", "createDirectory", "createLink", "newByteChannel", "newOutputStream")));
        builder = add(builder, named(FileChannel.class.getName()), isStatic().and(named("open")));
        builder = add(builder, named("sun.nio.ch.FileChannelImpl"), namedOneOf("write", "force", "lock", "tryLock",
                "map"));
        builder = add(builder, named("java.io.FileOutputStream"), named("open"));
        builder = add(builder, named(NativeMemory.class.getName()), named("address").and(takesArguments(2)));
        builder = add(builder, named("org.nd4j.nativeblas.OpaqueDataBuffer"), namedOneOf(
                "allocateDataBuffer", "closeBuffer"));
        builder = add(builder, namedOneOf("org.sqlite.jdbc3.JDBC3Statement", "org.sqlite.jdbc3.JDBC3PreparedStatement",
                "org.sqlite.jdbc3.JDBC3Connection", "org.sqlite.JDBC"),
                namedOneOf("execute", "executeQuery",
                        "executeUpdate", "prepareStatement", "connect").and(not(isStatic())));
        builder = add(builder, namedOneOf("sun.nio.ch.ServerSocketChannelImpl", "sun.nio.ch.SocketChannelImpl"),
                namedOneOf("bind", "write"));
        builder = add(builder, nameStartsWith("io.peft4j.serve.").or(nameStartsWith("io.peft4j.train."))
                .or(nameStartsWith("io.peft4j.models.generation.")).or(nameStartsWith("io.peft4j.spark."))
                .and(not(nameContains("Test"))), isConstructor());
        builder.installOn(agent);
        return agent;
    }

    private static AgentBuilder add(AgentBuilder builder, ElementMatcher<? super TypeDescription> types,
            ElementMatcher<? super MethodDescription> methods) {
        return builder.type(types).transform((made, type, loader, module, domain) -> made
                .visit(Advice.to(Enter.class).on(methods)));
    }
}
