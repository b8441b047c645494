package io.peft4j.models.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

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
