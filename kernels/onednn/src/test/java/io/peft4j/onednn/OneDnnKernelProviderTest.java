package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.Kernels;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

/** The kernels are found on the class path and preferred. */
class OneDnnKernelProviderTest {
    private static KernelProvider provider() {
        return ServiceLoader.load(KernelProvider.class).stream().map(ServiceLoader.Provider::get)
                .filter(OneDnnKernelProvider.class::isInstance).findFirst().orElseThrow();
    }

    @Test
    void isPreferredToThePortableOnes() {
        assertTrue(provider().priority() > 10);
        try (Kernels kernels = KernelSelection.best(1)) {
            assertEquals(provider().available() ? "onednn" : "nd4j", kernels.name());
        }
    }

    @Test
    void kernelsHaveTheProvidersName() {
        KernelProvider provider = provider();
        try (Kernels kernels = provider.create(2)) {
            assertEquals(provider.name(), kernels.name());
        }
        assertThrows(IllegalArgumentException.class, () -> provider.create(0));
    }
}
