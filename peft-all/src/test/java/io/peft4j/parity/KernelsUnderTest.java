package io.peft4j.parity;

import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import java.util.List;
import java.util.ServiceLoader;

/** An implementation of the kernels that has to prove itself; all that run on this machine do. */
record KernelsUnderTest(KernelProvider provider) {
    static List<KernelsUnderTest> all() {
        return ServiceLoader.load(KernelProvider.class).stream().map(ServiceLoader.Provider::get)
                .filter(KernelProvider::available).map(KernelsUnderTest::new).toList();
    }

    /** A model of the fixtures in f32. */
    BaseModel load(String model) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(Fixtures.FOLDER.resolve(model).toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32),
                provider.create(Runtime.getRuntime().availableProcessors()));
    }

    /** The same on the naive kernels, for what does not depend on kernels. */
    static BaseModel naive(String model) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(Fixtures.FOLDER.resolve(model).toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32), new NaiveKernels());
    }

    @Override
    public String toString() {
        return provider.name();
    }
}
