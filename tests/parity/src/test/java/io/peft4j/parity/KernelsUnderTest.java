package io.peft4j.parity;

import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An implementation of the kernels that has to prove itself: all implementations that run on this machine do, or the
 * one that {@link KernelSelection#KERNELS} names. A build that leaves out what is tagged "full" tests the one that
 * applications get here; the contract of the kernels holds the others.
 */
record KernelsUnderTest(KernelProvider provider) {
    /** Whether what repeats a claim is tested, too. */
    static final boolean FULL = !System.getProperty("test.excluded", "").contains("full");
    private static final Comparator<KernelProvider> FASTEST_FIRST = Comparator.comparingInt(KernelProvider::priority)
            .reversed();

    static List<KernelsUnderTest> all() {
        String named = System.getProperty(KernelSelection.KERNELS, "");
        return ServiceLoader.load(KernelProvider.class).stream()
                .map(ServiceLoader.Provider::get).filter(provider -> named.isEmpty() || named.equals(provider.name()))
                .filter(KernelProvider::available).sorted(FASTEST_FIRST)
                .limit(FULL ? Long.MAX_VALUE : 1).map(KernelsUnderTest::new).toList();
    }

    /** Models that tests only put adapters on: to load one takes longer than most of what is asked of it. */
    private static final Map<String, BaseModel> SHARED = new ConcurrentHashMap<>();

    /** A model of the fixtures in f32 that all tests share and none closes. */
    BaseModel shared(String model) {
        return SHARED.computeIfAbsent(provider.name() + " " + model, key -> load(model));
    }

    /** The same on the naive kernels, for what does not depend on kernels. */
    static BaseModel sharedNaive(String model) {
        return SHARED.computeIfAbsent("naive alone " + model, key -> naive(model));
    }

    /** The same on the kernels that an application gets. */
    static BaseModel sharedBest(String model) {
        return all().get(0).shared(model);
    }

    /** A model of the fixtures in f32, of its own. */
    BaseModel load(String model) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(Fixtures.FOLDER.resolve(model).toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32),
                provider.create(KernelSelection.defaultThreads()));
    }

    /** As {@link #load} on the naive kernels. */
    static BaseModel naive(String model) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(Fixtures.FOLDER.resolve(model).toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32), new NaiveKernels());
    }

    @Override
    public String toString() {
        return provider.name();
    }
}
