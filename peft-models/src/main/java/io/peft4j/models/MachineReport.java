package io.peft4j.models;

import io.peft4j.core.Internal;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.core.measure.SpeedLimits;
import io.peft4j.models.hub.HubOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What this machine has for models, what the library makes of it, and what would make it faster.
 *
 * @param processor the processor
 * @param memoryBytes memory of the machine, or of the container
 * @param freeBytes how much of it is free
 * @param java the JVM's version and maker
 * @param kernels which kernels run, and why
 * @param bfloat16 how products of bf16 matrices compare with those of f32 ones
 * @param speed the rates of large products, where they were measured
 * @param hub whether models can be had from the hub
 */
@Internal(shared = true)
public record MachineReport(Processor processor, long memoryBytes, long freeBytes, String java,
        KernelSelection.Report kernels, BFloat16Speed bfloat16, Optional<Speed> speed, HubAccess hub) {
    private static final long SMALL_MEMORY = 4L << 30;

    /**
     * Rates of large matrix products in 10^9 operations a second.
     *
     * @param f32 of f32 matrices
     * @param bf16 of bf16 matrices
     */
    public record Speed(double f32, double bf16) {
    }

    /**
     * Looks at this machine.
     *
     * @param hub where models come from; it is asked once, unless it says that this is forbidden
     * @param measure whether to measure the rates, which takes some two seconds and wants an idle machine
     */
    public static MachineReport of(HubOptions hub, boolean measure) {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        KernelSelection.Report kernels = KernelSelection.report();
        try (Engine engine = new Engine(KernelSelection.best())) {
            Optional<Speed> speed = measure ? Optional.of(engine.compute(k -> new Speed(
                    SpeedLimits.matmulGflops(k, DataType.FLOAT), SpeedLimits.matmulGflops(k, DataType.BFLOAT16))))
                    : Optional.empty();
            return new MachineReport(Processor.here(), system.getTotalMemorySize(), system.getFreeMemorySize(),
                    System.getProperty("java.version") + ", " + System.getProperty("java.vendor"), kernels,
                    engine.bfloat16Speed(), speed, HubAccess.of(hub));
        }
    }

    /** What would make models faster here, or possible; empty where nothing is missing. */
    public List<String> advice() {
        List<String> advice = new ArrayList<>();
        if (!kernels.chosen().equals("onednn")) {
            advice.add("the kernels '" + kernels.chosen() + "' are several times slower than oneDNN's: "
                    + (kernels.refused().contains("onednn") ? "oneDNN does not run here (see the log)"
                            : "add peft-onednn to the class path, and do not force others by -D"
                                    + KernelSelection.KERNELS));
        }
        if (kernels.loops().equals("plain")) {
            advice.add("loops run without the Vector API: start Java with --add-modules jdk.incubator.vector");
        }
        if (bfloat16 == BFloat16Speed.SLOWER) {
            advice.add("this processor multiplies bf16 slower than f32: use f32, or int8 weights to save "
                    + "memory; a processor with AVX-512 BF16 or AMX trains two to three times as fast");
        }
        if (processor.cores() == 1) {
            advice.add("this JVM has one core: a second one nearly doubles the speed (-XX:ActiveProcessorCount, the "
                    + "container's limit)");
        }
        if (memoryBytes < SMALL_MEMORY) {
            advice.add("with less than 4 GB of memory, load models in int8 and train with small batches");
        }
        if (!hub.reached() && hub.models() == 0) {
            advice.add("no hub and no model in its cache: give a model as a folder or a GGUF file, set HF_ENDPOINT to"
                    + " a mirror, or copy a cache and set HF_HOME");
        }
        return advice;
    }

    /**
     * Whether models can be had from the hub.
     *
     * @param endpoint its address
     * @param reached whether it answered
     * @param detail how it answered, or why it did not
     * @param cache where models are kept
     * @param models how many are there
     */
    public record HubAccess(String endpoint, boolean reached, String detail, Path cache, long models) {
        private static final Duration PATIENCE = Duration.ofSeconds(4);

        /** Asks the hub, unless the options forbid it. */
        static HubAccess of(HubOptions options) {
            String endpoint = options.endpoint().toString();
            long models = models(options.cacheFolder());
            if (options.offline()) {
                return new HubAccess(endpoint, false, "offline: HF_HUB_OFFLINE is set", options.cacheFolder(),
                        models);
            }
            try {
                int status = HttpClient.newBuilder().connectTimeout(PATIENCE).build().send(
                        HttpRequest.newBuilder(options.endpoint()).method("HEAD", HttpRequest.BodyPublishers.noBody())
                                .timeout(PATIENCE).build(),
                        HttpResponse.BodyHandlers.discarding()).statusCode();
                return new HubAccess(endpoint, status < 500, "answers with status " + status, options.cacheFolder(),
                        models);
            } catch (IOException e) {
                String why = e.getMessage() == null ? e.getClass().getSimpleName().replace("Exception", "")
                        : e.getMessage();
                return new HubAccess(endpoint, false, "does not answer: " + why.toLowerCase(Locale.ROOT),
                        options.cacheFolder(), models);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return new HubAccess(endpoint, false, "not asked: interrupted", options.cacheFolder(), models);
            }
        }

        /** Those of the hub, and those that packages brought. */
        private static long models(Path cache) {
            return count(cache, "models--") + count(cache.resolve(".peft4j"), "");
        }

        private static long count(Path folder, String beginning) {
            try (Stream<Path> entries = Files.list(folder)) {
                return entries.filter(entry -> entry.getFileName().toString().startsWith(beginning)).count();
            } catch (IOException e) {
                // There is no cache yet.
                return 0;
            }
        }
    }

    /**
     * A processor.
     *
     * @param name what it calls itself; its architecture where that is not known
     * @param architecture for instance {@code amd64}
     * @param cores processors that this JVM may use
     * @param instructions the sets of instructions that speed up models, in the field's words; empty where unknown
     */
    public record Processor(String name, String architecture, int cores, List<String> instructions) {
        private static final Path LINUX = Path.of("/proc/cpuinfo");
        /** Flags of Linux and what they are called. */
        private static final Map<String, String> FLAGS = flags();

        /** Copies the list. */
        public Processor {
            instructions = List.copyOf(instructions);
        }

        private static Map<String, String> flags() {
            Map<String, String> flags = new LinkedHashMap<>();
            flags.put("avx2", "AVX2");
            flags.put("avx512f", "AVX-512");
            flags.put("avx512_bf16", "AVX-512 BF16");
            flags.put("avx512_vnni", "AVX-512 VNNI");
            flags.put("amx_bf16", "AMX BF16");
            flags.put("amx_int8", "AMX INT8");
            flags.put("asimd", "NEON");
            flags.put("sve", "SVE");
            flags.put("bf16", "BF16");
            flags.put("i8mm", "I8MM");
            return flags;
        }

        /** That of this machine. */
        public static Processor here() {
            return of(LINUX);
        }

        static Processor of(Path information) {
            String architecture = System.getProperty("os.arch", "unknown");
            int cores = Runtime.getRuntime().availableProcessors();
            try {
                List<String> lines = Files.readAllLines(information, StandardCharsets.UTF_8);
                Set<String> has = Set.of(value(lines, "flags", value(lines, "Features", "")).split("\\s+"));
                return new Processor(value(lines, "model name", architecture), architecture, cores,
                        FLAGS.entrySet().stream().filter(flag -> has.contains(flag.getKey())).map(Map.Entry::getValue)
                                .toList());
            } catch (IOException | IllegalArgumentException e) {
                // Not Linux, or a file of another form.
                return new Processor(architecture, architecture, cores, List.of());
            }
        }

        private static String value(List<String> lines, String key, String otherwise) {
            return lines.stream().filter(line -> line.startsWith(key))
                    .filter(line -> line.substring(key.length()).strip().startsWith(":"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip()).findFirst().orElse(otherwise);
        }
    }
}
