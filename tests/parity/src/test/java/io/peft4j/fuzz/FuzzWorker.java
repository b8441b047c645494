package io.peft4j.fuzz;

import com.sun.management.OperatingSystemMXBean;
import io.peft4j.core.error.PeftException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Reads damaged files, one after the other, in a process of its own: so that one that takes the process down, or fills
 * its memory, is seen and known by its number. The number is kept in a mapped file, which outlives the process.
 */
final class FuzzWorker {
    static final int OUT_OF_MEMORY = 71;
    static final int TOO_SLOW = 72;
    static final String AT = "at";
    static final String FAILURES = "failures.txt";
    static final String COUNTS = "counts.txt";

    /** Of processor time, which a busy machine does not stretch; the other is for what waits for ever. */
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final OperatingSystemMXBean PROCESS = ManagementFactory.getPlatformMXBean(
            OperatingSystemMXBean.class);
    private static final long SEED = 20_261;

    private final Path folder;
    private final List<FuzzTarget> turns = new ArrayList<>();
    private final int[] counts = new int[3];
    private volatile long begin = System.nanoTime();
    private volatile long used = PROCESS.getProcessCpuTime();

    private FuzzWorker(Path folder, String only) {
        this.folder = folder;
        Stream.of(TokenizerTargets.all(), ModelTargets.all(), GgufTargets.all(), DataTargets.all(), RunTargets.all())
                .flatMap(List::stream).filter(target -> target.name().contains(only))
                .forEach(target -> Stream.generate(() -> target).limit(target.share()).forEach(turns::add));
    }

    /** Arguments: a folder to work in, the number of the first input, that behind the last, and a part of a name. */
    public static void main(String[] args) throws IOException {
        FuzzWorker worker = new FuzzWorker(Path.of(args[0]), args.length > 3 ? args[3] : "");
        try {
            worker.run(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
            System.exit(0);
        } catch (OutOfMemoryError e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(OUT_OF_MEMORY);
        }
    }

    private void run(int first, int end) throws IOException {
        Thread watch = new Thread(this::watch, "watch");
        watch.setDaemon(true);
        watch.start();
        Path input = folder.resolve("input");
        try (FileChannel channel = FileChannel.open(folder.resolve(AT), StandardOpenOption.CREATE,
                StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer at = channel.map(FileChannel.MapMode.READ_WRITE, 0, Integer.BYTES);
            for (int i = first; i < end; i++) {
                at.putInt(0, i);
                FuzzTarget target = turns.get(i % turns.size());
                Damage damage = new Damage(SEED + 7919L * i);
                clear(input);
                target.maker().make(damage, input);
                used = PROCESS.getProcessCpuTime();
                begin = System.nanoTime();
                read(i, target, damage, input);
            }
        }
        Files.writeString(folder.resolve(COUNTS), counts[0] + " read, " + counts[1] + " refused, " + counts[2]
                + " failed\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private void read(int number, FuzzTarget target, Damage damage, Path input) throws IOException {
        try {
            target.reader().read(damage, input);
            counts[0]++;
        } catch (PeftException | UncheckedIOException e) {
            counts[1]++;
        } catch (OutOfMemoryError e) {
            throw e;
        } catch (IOException | RuntimeException | Error e) {
            counts[2]++;
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace, true));
            Files.writeString(folder.resolve(FAILURES), "input " + number + ", " + target.name() + ": "
                    + trace.toString().lines().limit(14).reduce("", (a, b) -> a + b + "\n"),
                    StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    private void watch() {
        try {
            while (PROCESS.getProcessCpuTime() - used < LIMIT_NANOS && System.nanoTime() - begin < WAIT_NANOS) {
                Thread.sleep(200);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Thread.getAllStackTraces().forEach((thread, frames) -> {
            if (thread.getName().equals("main")) {
                System.err.println(Stream.of(frames).limit(25).toList());
            }
        });
        Runtime.getRuntime().halt(TOO_SLOW);
    }

    private static void clear(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> paths = Files.walk(folder)) {
                for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
        Files.createDirectories(folder);
    }
}
