package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class KernelSelectionTest {
    private String kernelsBefore;
    private String threadsBefore;

    @BeforeEach
    void rememberProperties() {
        kernelsBefore = System.getProperty(KernelSelection.KERNELS);
        threadsBefore = System.getProperty(KernelSelection.THREADS);
        System.clearProperty(KernelSelection.KERNELS);
        System.clearProperty(KernelSelection.THREADS);
    }

    @AfterEach
    void restoreProperties() {
        restore(KernelSelection.KERNELS, kernelsBefore);
        restore(KernelSelection.THREADS, threadsBefore);
    }

    private static void restore(String key, String value) {
        if (value == null) {
            System.clearProperty(key);
        } else {
            System.setProperty(key, value);
        }
    }

    @Test
    void thePortableKernelsComeBeforeTheNaive() {
        try (Kernels kernels = KernelSelection.best(1)) {
            assertEquals("nd4j", kernels.name());
        }
    }

    @Test
    void nameOrPropertySelectTheKernels() {
        try (Kernels kernels = KernelSelection.named("naive", 1)) {
            assertEquals("naive", kernels.name());
        }
        System.setProperty(KernelSelection.KERNELS, "naive");
        try (Kernels kernels = KernelSelection.best()) {
            assertEquals("naive", kernels.name());
        }
    }

    @Test
    void unknownNamesAreReportedWithTheKnownOnes() {
        String message = assertThrows(ConfigurationException.class, () -> KernelSelection.named("cuda")).getMessage();
        assertTrue(message.contains("cuda") && message.contains("nd4j, naive"), message);
        System.setProperty(KernelSelection.KERNELS, "fast");
        assertThrows(ConfigurationException.class, () -> KernelSelection.best(2));
    }

    @Test
    void threadsComeFromThePropertyOrTheProcessors() {
        assertEquals(Runtime.getRuntime().availableProcessors(), KernelSelection.defaultThreads());
        System.setProperty(KernelSelection.THREADS, "3");
        assertEquals(3, KernelSelection.defaultThreads());
        for (String bad : new String[] {"0", "-1", "many"}) {
            System.setProperty(KernelSelection.THREADS, bad);
            assertThrows(ConfigurationException.class, KernelSelection::defaultThreads);
        }
        for (int bad : new int[] {0, 100_000}) {
            assertThrows(ConfigurationException.class, () -> KernelSelection.named("naive", bad));
        }
    }
}
