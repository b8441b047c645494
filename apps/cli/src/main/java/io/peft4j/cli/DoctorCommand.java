package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.models.MachineReport;
import io.peft4j.models.hub.HubOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j doctor}: what this machine has, and what would make it faster. */
@Command(name = "doctor", sortOptions = false, description = {"Says what this machine has for models: processor, "
        + "memory, kernels and why these, the hub; and what would make it faster.",
    "Takes a few seconds, since it measures large products; nothing else should run meanwhile."})
final class DoctorCommand extends PeftCommand {
    private static final double GIGABYTE = 1e9;
    private static final Pattern JAVA_OPTION = Pattern.compile("(?:--add-|-D|-XX:)\\w");

    @Option(names = "--no-measure", description = "Leaves the measurement out.")
    private boolean unmeasured;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        MachineReport report = MachineReport.of(HubOptions.fromEnvironment(), !unmeasured);
        if (json.isGiven()) {
            console().print(json(report));
        } else {
            print(report);
        }
        return 0;
    }

    private void print(MachineReport report) {
        line("processor", "%s, %d cores%s", report.processor().name(), report.processor().cores(),
                report.processor().instructions().isEmpty() ? ""
                        : ": " + String.join(", ", report.processor().instructions()));
        line("memory", "%.1f GB, %.1f GB free", report.memoryBytes() / GIGABYTE, report.freeBytes() / GIGABYTE);
        line("Java", "%s", report.java());
        line("kernels", "%s (%s), loops: %s", report.kernels().chosen(), report.kernels().reason(),
                report.kernels().loops());
        line("bf16", "%s", switch (report.bfloat16()) {
            case FASTER -> "faster than f32, so --dtype auto takes bf16";
            case SAME -> "as fast as f32 in half the memory";
            case SLOWER -> "slower than f32, so --dtype auto takes f32";
        });
        report.speed().ifPresent(speed -> line("speed", "%.0f GFLOPS in f32, %.0f in bf16", speed.f32(), speed.bf16()));
        line("hub", "%s %s; %s in %s", report.hub().endpoint(), report.hub().detail(),
                Count.of(report.hub().models(), "model"), report.hub().cache());
        List<String> advice = advice(report);
        line("advice", "%s", advice.isEmpty() ? "nothing is missing" : String.join("\n           ", advice));
    }

    /** What the library advises, and where this program takes the options of Java from that it speaks of. */
    private static List<String> advice(MachineReport report) {
        List<String> advice = new ArrayList<>(report.advice());
        if (advice.stream().anyMatch(text -> JAVA_OPTION.matcher(text).find())) {
            advice.add("peft4j takes options of Java from the variable PEFT4J_JAVA_OPTS, for example "
                    + "PEFT4J_JAVA_OPTS='--add-modules jdk.incubator.vector' ./peft4j doctor");
        }
        return advice;
    }

    private void line(String title, String format, Object... values) {
        console().print(String.format(Locale.ROOT, "%-10s " + format, concat(title, values)));
    }

    private static Object[] concat(String title, Object... values) {
        Object[] all = new Object[values.length + 1];
        all[0] = title;
        System.arraycopy(values, 0, all, 1, values.length);
        return all;
    }

    private static ObjectNode json(MachineReport report) {
        ObjectNode json = CommandJson.MAPPER.createObjectNode();
        json.put("processor", report.processor().name()).put("architecture", report.processor().architecture())
                .put("cores", report.processor().cores());
        report.processor().instructions().forEach(json.putArray("instructions")::add);
        json.put("memory_mb", report.memoryBytes() / 1e6).put("free_mb", report.freeBytes() / 1e6)
                .put("java", report.java()).put("kernels", report.kernels().chosen())
                .put("kernels_reason", report.kernels().reason()).put("loops", report.kernels().loops())
                .put("bf16", report.bfloat16().name().toLowerCase(Locale.ROOT));
        report.speed().ifPresent(speed -> json.put("f32_gflops", speed.f32()).put("bf16_gflops", speed.bf16()));
        json.put("hub_reached", report.hub().reached()).put("hub_detail", report.hub().detail())
                .put("cache", report.hub().cache().toString()).put("models", report.hub().models());
        advice(report).forEach(json.putArray("advice")::add);
        return json;
    }
}
