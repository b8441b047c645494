package io.peft4j.models.machine;

import io.peft4j.core.engine.Engine;
import io.peft4j.core.kernel.BFloat16Speed;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.measure.internal.SpeedLimits;
import io.peft4j.models.hub.HubOptions;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
                    + (kernels.refused().contains("onednn") ? "oneDNN is there but does not run here (the log says why)"
                            : "add peft-onednn to the class path, and do not force others by -D"
                                    + KernelSelection.KERNELS));
        }
        if (kernels.loops().equals("plain")) {
            advice.add("loops run without the Vector API: start Java with --add-modules jdk.incubator.vector");
        }
        if (bfloat16 == BFloat16Speed.SLOWER) {
            advice.add("this processor multiplies bf16 slower than f32: use f32, or int8 weights where memory is short;"
                    + " one with AVX-512 BF16 or AMX trains two to three times as fast");
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
}
