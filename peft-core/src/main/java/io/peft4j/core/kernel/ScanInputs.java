package io.peft4j.core.kernel;

import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a scan reads; see {@link SequenceKernels#scan}.
 *
 * @param queries [N, key heads x Dk]
 * @param keys [N, key heads x Dk]
 * @param values [N, value heads x Dv]
 * @param decay g [N, value heads], FLOAT: a state is multiplied by exp(g); at most 0
 * @param rate beta [N, value heads], FLOAT, of the gated delta rule; empty: values are added as they are
 */
public record ScanInputs(INDArray queries, INDArray keys, INDArray values, INDArray decay, Optional<INDArray> rate) {
}
