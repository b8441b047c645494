package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2_vnni_2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_get_effective_cpu_isa;
import static org.bytedeco.dnnl.global.dnnl.dnnl_version;

import io.peft4j.core.array.NativeLibraries;
import java.util.Optional;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;

/** The native library: whether it loads, and what the processor has as oneDNN sees it. */
final class DnnlLibrary {
    private DnnlLibrary() {
    }

    /** Why oneDNN's kernels do not run here, or empty where they do. */
    static Optional<String> obstacle() {
        try {
            NativeLibraries.load(dnnl.class);
        } catch (LinkageError | RuntimeException e) {
            return Optional.of("cannot load the native library: " + e);
        }
        if (!has(dnnl_cpu_isa_avx2)) {
            return Optional.of("the processor has no AVX2 (oneDNN reports instruction set "
                    + dnnl_get_effective_cpu_isa() + ")");
        }
        return Optional.empty();
    }

    /** Whether products of bf16 numbers are one instruction. Elsewhere bf16 is widened and computed in f32. */
    static boolean multipliesBFloat16() {
        return has(dnnl_cpu_isa_avx512_core_bf16) || has(dnnl_cpu_isa_avx2_vnni_2);
    }

    /** Version and instruction set, for the log. */
    static String describe() {
        dnnl_version_t version = dnnl_version();
        return "oneDNN " + version.major() + "." + version.minor() + "." + version.patch() + ", "
                + dnnl.get_effective_cpu_isa();
    }

    /** An instruction set's number has the bits of all those that it includes. */
    private static boolean has(int isa) {
        return (dnnl_get_effective_cpu_isa() & isa) == isa;
    }
}
