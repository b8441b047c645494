package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What every implementation of {@link Kernels} must do: extend this class and create the kernels. Each operation is
 * held against {@link NaiveKernels} over odd shapes, both types, with and without accumulating; see the interfaces for
 * the cases and {@link KernelCase} for how results are compared.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class KernelsContract
        implements
            MatrixContract,
            RowContract,
            ElementwiseContract,
            ActivationContract,
            NormContract,
            AttentionContract,
            SequenceContract,
            LossContract,
            ArgumentContract,
            ReferenceContract {
    private Kernels kernels;

    /** The implementation under test. */
    protected abstract Kernels create(int threads);

    @BeforeAll
    void createKernels() {
        kernels = create(2);
    }

    @AfterAll
    void closeKernels() {
        kernels.close();
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }

    @Test
    void hasAName() {
        assertFalse(kernels.name().isBlank());
    }
}
