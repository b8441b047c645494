package io.peft4j.dl4j.internal;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Broadcast;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The gradient of batch normalization that uses the statistics that it has: {@code dx = dy gamma / sqrt(var + eps)}.
 * DeepLearning4J's own is that of a normalization by the statistics of the batch.
 */
final class FrozenNormalization {
    private FrozenNormalization() {
    }

    static INDArray backward(BatchNormalization layer, INDArray dy, LayerWorkspaceMgr workspaces) {
        org.deeplearning4j.nn.conf.layers.BatchNormalization conf = layer.layerConf();
        INDArray variance = layer.getParam(BatchNormalizationParamInitializer.GLOBAL_VAR);
        if (variance == null) {
            INDArray deviation = layer.getParam(BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
            variance = Transforms.pow(deviation.ulike().assign(10), deviation.mul(2));
        }
        INDArray factor = Transforms.sqrt(variance.add(conf.getEps()), false).rdivi(
                conf.isLockGammaBeta() ? conf.getGamma() : 1);
        if (!conf.isLockGammaBeta()) {
            INDArray gamma = layer.getParam(BatchNormalizationParamInitializer.GAMMA);
            factor.muli(gamma.reshape(factor.shape()));
        }
        boolean channelsLast = dy.rank() == 4 && conf.getCnn2DFormat() == CNN2DFormat.NHWC;
        INDArray dx = workspaces.createUninitialized(ArrayType.ACTIVATION_GRAD, dy.dataType(), dy.shape(),
                dy.ordering());
        return Broadcast.mul(dy, factor.reshape(factor.length()), dx, channelsLast ? 3 : 1);
    }
}
