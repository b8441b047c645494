package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the loops that kernels run: those of a {@link LoopProvider} that runs in this JVM, otherwise
 * {@link PlainLoops}. The choice is made and logged once; {@code -Dpeft4j.loops=plain}, or the name of a provider,
 * forces it.
 */
@Internal
public final class LoopSelection {
    /** The system property that forces an implementation; read once. */
    public static final String LOOPS = "peft4j.loops";

    private static final Logger LOG = LoggerFactory.getLogger(LoopSelection.class);

    private LoopSelection() {
    }

    /** Made at the first use. */
    private static final class Choice {
        static final Supplier<Loops> LOOPS_FOR_A_THREAD = choose(System.getProperty(LOOPS, "").strip(),
                ServiceLoader.load(LoopProvider.class, LoopSelection.class.getClassLoader()).stream()
                        .map(ServiceLoader.Provider::get).toList());
    }

    /**
     * New loops for one thread.
     *
     * @throws ConfigurationException when {@code -Dpeft4j.loops} names loops that do not exist or do not run here
     */
    public static Loops create() {
        return Choice.LOOPS_FOR_A_THREAD.get();
    }

    /** What makes the loops of the given name, or the best ones where it is empty. */
    static Supplier<Loops> choose(String forced, List<LoopProvider> providers) {
        if (forced.equals(PlainLoops.NAME)) {
            LOG.info("loops: plain (-D{}={})", LOOPS, forced);
            return PlainLoops::new;
        }
        for (LoopProvider provider : providers) {
            if (forced.isEmpty() || forced.equals(provider.name())) {
                if (provider.available()) {
                    LOG.info("loops: {}", provider.name());
                    return provider::create;
                }
                if (!forced.isEmpty()) {
                    throw new ConfigurationException("the loops " + forced
                            + " do not run in this JVM (see the log)");
                }
            }
        }
        if (!forced.isEmpty()) {
            throw new ConfigurationException("unknown loops '" + forced + "'; available are " + names(providers));
        }
        LOG.debug("loops: plain");
        return PlainLoops::new;
    }

    private static String names(List<LoopProvider> providers) {
        List<String> names = new ArrayList<>(List.of(PlainLoops.NAME));
        providers.forEach(provider -> names.add(provider.name()));
        return names.stream().collect(Collectors.joining(", "));
    }
}
