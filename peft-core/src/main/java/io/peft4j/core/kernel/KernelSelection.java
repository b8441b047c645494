package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the kernels to run on: the implementations that {@link ServiceLoader} knows, the fastest that runs here first.
 *
 * <p>{@code -Dpeft4j.kernels=NAME} forces one by its name, {@code -Dpeft4j.threads=N} sets the number of threads; its
 * default is the number of processors that the JVM was given.
 */
@Internal(shared = true)
public final class KernelSelection {
    /** The system property that forces an implementation. */
    public static final String KERNELS = "peft4j.kernels";
    /** The system property that sets the number of threads. */
    public static final String THREADS = "peft4j.threads";
    /** More threads than processors only wait for each other, and each takes memory. */
    private static final int LEAST_LIMIT = 1024;

    private static final Logger LOG = LoggerFactory.getLogger(KernelSelection.class);

    private KernelSelection() {
    }

    /** The best kernels with the default number of threads; see {@link #best(int)}. */
    public static Kernels best() {
        return best(defaultThreads());
    }

    /**
     * The kernels that the system property names, otherwise the fastest that run here.
     *
     * @param threads threads that compute, at least 1
     * @throws ConfigurationException when the named ones do not exist or do not run here
     */
    public static Kernels best(int threads) {
        Choice choice = choose();
        return create(choice.provider(), threads, choice.reason());
    }

    private record Choice(KernelProvider provider, String reason) {
    }

    /**
     * What runs here, without running it.
     *
     * @param chosen the name of the kernels that {@link #best()} makes
     * @param reason why these
     * @param refused names of kernels on the class path that do not run here; the log says why
     * @param loops the name of the loops of whatever no library computes
     */
    public record Report(String chosen, String reason, List<String> refused, String loops) {
        /** Copies the list. */
        public Report {
            refused = List.copyOf(refused);
        }
    }

    /**
     * Says which kernels {@link #best()} makes, and why.
     *
     * @throws ConfigurationException as {@link #best()}
     */
    public static Report report() {
        Choice choice = choose();
        return new Report(choice.provider().name(), choice.reason(), providers().stream()
                .filter(provider -> !provider.available()).map(KernelProvider::name).toList(),
                LoopSelection.create().name());
    }

    private static Choice choose() {
        String forced = System.getProperty(KERNELS, "").strip();
        if (!forced.isEmpty()) {
            return new Choice(find(forced), "-D" + KERNELS + "=" + forced);
        }
        List<KernelProvider> providers = providers();
        for (KernelProvider provider : providers) {
            if (provider.available()) {
                return new Choice(provider, "the fastest available of " + names(providers));
            }
        }
        throw new ConfigurationException("no kernels run on this machine; available are " + names(providers));
    }

    /**
     * The kernels with the given name and the default number of threads.
     *
     * @throws ConfigurationException when they do not exist or do not run here
     */
    public static Kernels named(String name) {
        return named(name, defaultThreads());
    }

    /**
     * The kernels with the given name.
     *
     * @param threads threads that compute, at least 1
     * @throws ConfigurationException when they do not exist or do not run here
     */
    public static Kernels named(String name, int threads) {
        return create(find(name), threads, "asked for by name");
    }

    /**
     * Opens the native libraries of the kernels that {@link #best()} would choose, which takes some tenths of a second:
     * for programs that have something else to do on another thread meanwhile.
     *
     * @throws ConfigurationException as {@link #best()}
     */
    public static void openLibraries() {
        choose();
    }

    /** The number of threads that {@code -Dpeft4j.threads} sets, otherwise that of the processors given to the JVM. */
    public static int defaultThreads() {
        String value = System.getProperty(THREADS, "").strip();
        if (value.isEmpty()) {
            return Runtime.getRuntime().availableProcessors();
        }
        try {
            return requirePossible(Integer.parseInt(value));
        } catch (NumberFormatException e) {
            throw new ConfigurationException("-D" + THREADS + "=" + value + " is not a number of threads", e);
        }
    }

    private static Kernels create(KernelProvider provider, int threads, String why) {
        requirePossible(threads);
        LOG.info("kernels: {} on {} threads ({})", provider.name(), threads, why);
        return provider.create(threads);
    }

    private static int requirePossible(int threads) {
        int most = Math.max(LEAST_LIMIT, Runtime.getRuntime().availableProcessors());
        if (threads < 1 || threads > most) {
            throw new ConfigurationException("the number of threads must be at least 1 and at most " + most + ", got "
                    + threads);
        }
        return threads;
    }

    private static KernelProvider find(String name) {
        List<KernelProvider> providers = providers();
        for (KernelProvider provider : providers) {
            if (provider.name().equals(name)) {
                if (!provider.available()) {
                    throw new ConfigurationException("the kernels " + name + " do not run on this machine (see the "
                            + "log); available are " + names(providers));
                }
                return provider;
            }
        }
        throw new ConfigurationException("unknown kernels '" + name + "'; available are " + names(providers) + " "
                + "(modules on the class path add more)");
    }

    private static String names(List<KernelProvider> providers) {
        return providers.stream().map(KernelProvider::name).collect(Collectors.joining(", "));
    }

    /** All providers, the preferred first. One that cannot be made is left out with a warning. */
    private static List<KernelProvider> providers() {
        List<KernelProvider> providers = new ArrayList<>();
        Iterator<KernelProvider> found = ServiceLoader
                .load(KernelProvider.class, KernelSelection.class.getClassLoader()).iterator();
        while (true) {
            try {
                if (!found.hasNext()) {
                    break;
                }
                providers.add(found.next());
            } catch (ServiceConfigurationError | LinkageError e) {
                LOG.warn("skipping a kernel provider: {}", e.toString());
            }
        }
        providers.sort(Comparator.comparingInt(KernelProvider::priority).reversed());
        return providers;
    }
}
