package io.peft4j.core.kernel;

import io.peft4j.core.error.ConfigurationException;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses the kernels: of all providers on the class path the available one of the highest priority, unless the system
 * property {@value #KERNELS} names another. The number of threads is {@value #THREADS}, else the processors given to this
 * process.
 */
public final class KernelSelection {
    /** System property that names the kernels to use, for instance {@code naive}. */
    public static final String KERNELS = "peft4j.kernels";
    /** System property with the number of threads. */
    public static final String THREADS = "peft4j.threads";

    private static final Logger LOG = LoggerFactory.getLogger(KernelSelection.class);

    private KernelSelection() {
    }

    /** The kernels for this machine, with the default number of threads. */
    public static Kernels best() {
        return best(defaultThreads());
    }

    /**
     * The kernels for this machine.
     *
     * @param threads number of threads, at least 1
     * @throws ConfigurationException when {@value #KERNELS} names none that exists and runs here
     */
    public static Kernels best(int threads) {
        String wanted = System.getProperty(KERNELS);
        if (wanted != null) {
            return named(wanted, threads);
        }
        KernelProvider provider = providers().stream().filter(KernelProvider::available)
                .max(Comparator.comparingInt(KernelProvider::priority))
                .orElseThrow(() -> new ConfigurationException("no kernels are on the class path; add peft-core"));
        return create(provider, threads);
    }

    /**
     * The kernels of a name.
     *
     * @throws ConfigurationException when there are none of the name, or they do not run here
     */
    public static Kernels named(String name, int threads) {
        List<KernelProvider> all = providers();
        KernelProvider provider = all.stream().filter(p -> p.name().equals(name)).findFirst()
                .orElseThrow(() -> new ConfigurationException("there are no kernels \"" + name
                        + "\"; those on the class path are " + all.stream().map(KernelProvider::name).sorted().toList()));
        if (!provider.available()) {
            throw new ConfigurationException("the kernels \"" + name + "\" do not run on this machine; the log says why");
        }
        return create(provider, threads);
    }

    private static Kernels create(KernelProvider provider, int threads) {
        if (threads < 1) {
            throw new ConfigurationException("the number of threads is " + threads + "; it must be at least 1");
        }
        LOG.info("kernels {} with {} threads", provider.name(), threads);
        return provider.create(threads);
    }

    private static int defaultThreads() {
        String wanted = System.getProperty(THREADS);
        try {
            return wanted == null ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(wanted);
        } catch (NumberFormatException e) {
            throw new ConfigurationException("-D" + THREADS + "=" + wanted + " is not a number", e);
        }
    }

    private static List<KernelProvider> providers() {
        return ServiceLoader.load(KernelProvider.class, KernelProvider.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get).toList();
    }
}
