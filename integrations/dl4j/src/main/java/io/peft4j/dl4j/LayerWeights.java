package io.peft4j.dl4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;

/** The weights of a layer that an adapter can sit on. */
final class LayerWeights {
    private static final String W = "W";
    private static final String RW = "RW";
    private static final String B = "b";

    private LayerWeights() {
    }

    /** The layer that runs: what DeepLearning4J freezes as a whole is frozen weight by weight here. */
    public static Layer running(Layer layer) {
        if (layer instanceof FrozenLayer frozen) {
            return running(frozen.getLayer());
        }
        if (layer instanceof FrozenLayerWithBackprop frozen) {
            return running(frozen.getUnderlying());
        }
        return layer;
    }

    /** The layer that has the updater and the regularization of the parameters. */
    public static Layer trained(Layer layer) {
        return running(layer) instanceof BaseWrapperLayer wrapper ? trained(wrapper.getUnderlying()) : running(layer);
    }

    /** The layers inside a wrapper; none of another layer. */
    static List<Layer> inside(Layer layer) {
        if (layer instanceof BaseWrapperLayer wrapper) {
            return List.of(wrapper.getUnderlying());
        }
        return layer instanceof Bidirectional both ? List.of(both.getFwd(), both.getBwd()) : List.of();
    }

    /** The weights of a layer, in the order of its computation; none where it is of a kind that cannot be adapted. */
    public static List<Weight> of(Layer layer) {
        Layer running = running(layer);
        if (running instanceof BaseWrapperLayer wrapper) {
            return of(wrapper.getUnderlying());
        }
        if (running instanceof Bidirectional both) {
            List<Weight> weights = new ArrayList<>();
            for (String prefix : List.of("f", "b")) {
                of(both.getFwd()).forEach(weight -> weights.add(weight.withKey(prefix, weight.key())));
            }
            return weights;
        }
        if (running instanceof SameDiffLayer attention) {
            return attention(attention);
        }
        if (running instanceof ConvolutionLayer convolution) {
            return convolution(convolution);
        }
        return running instanceof FeedForwardLayer plain ? plain(plain) : List.of();
    }

    private static List<Weight> plain(FeedForwardLayer layer) {
        long in = layer.getNIn();
        long out = layer.getNOut();
        if (layer instanceof AbstractLSTM) {
            return List.of(Weight.matrix(W, in, 4 * out, ""), Weight.matrix(RW, out, 4 * out, ""));
        }
        if (layer instanceof GravesBidirectionalLSTM) {
            return List.of(Weight.matrix("WF", in, 4 * out, ""), Weight.matrix("RWF", out, 4 * out, ""),
                    Weight.matrix("WB", in, 4 * out, ""), Weight.matrix("RWB", out, 4 * out, ""));
        }
        if (layer instanceof SimpleRnn) {
            return List.of(Weight.matrix(W, in, out, ""), Weight.matrix(RW, out, out, ""));
        }
        if (layer instanceof EmbeddingLayer embedding) {
            return List.of(embedding(in, out, embedding.hasBias()));
        }
        if (layer instanceof EmbeddingSequenceLayer embedding) {
            return List.of(embedding(in, out, embedding.hasBias()));
        }
        if (layer instanceof DenseLayer dense) {
            // A layer norm is between the product and the bias.
            return List.of(Weight.matrix(W, in, out, dense.hasBias() && !dense.hasLayerNorm() ? B : ""));
        }
        if (layer instanceof OutputLayer head) {
            return List.of(Weight.matrix(W, in, out, head.hasBias() ? B : ""));
        }
        if (layer instanceof RnnOutputLayer head) {
            return List.of(Weight.matrix(W, in, out, head.hasBias() ? B : ""));
        }
        return layer instanceof CenterLossOutputLayer ? List.of(Weight.matrix(W, in, out, B)) : List.of();
    }

    private static Weight embedding(long tokens, long size, boolean hasBias) {
        return new Weight(W, tokens, size, List.of(), Weight.Order.COLUMNS, hasBias ? B : "", true);
    }

    private static List<Weight> convolution(ConvolutionLayer layer) {
        String bias = layer.hasBias() ? B : "";
        long in = layer.getNIn();
        long out = layer.getNOut();
        if (layer instanceof SeparableConvolution2D separable) {
            return List.of(new Weight("pW", in * separable.getDepthMultiplier(), out, List.of(1L, 1L),
                    Weight.Order.OUTPUTS_FIRST, bias, false));
        }
        if (layer instanceof Deconvolution2D || layer instanceof Deconvolution3D
                || layer instanceof DepthwiseConvolution2D) {
            return List.of();
        }
        int dimensions = layer instanceof Convolution1DLayer ? 1 : layer instanceof Convolution3D ? 3 : 2;
        List<Long> kernel = IntStream.of(layer.getKernelSize()).limit(dimensions).asLongStream().boxed().toList();
        return List.of(new Weight(W, in, out, kernel, Weight.Order.OUTPUTS_FIRST, bias, false));
    }

    /** DeepLearning4J's attention layers: projections of heads [heads, head, in], others [in, out], all in c order. */
    private static List<Weight> attention(SameDiffLayer layer) {
        if (!(layer instanceof SelfAttentionLayer || layer instanceof RecurrentAttentionLayer)) {
            return List.of();
        }
        List<Weight> weights = new ArrayList<>();
        Map<String, long[]> shapes = layer.getLayerParams().getParamShapes();
        for (String key : List.of(W, RW, "Wq", "Wk", "Wv", "Wo")) {
            long[] shape = shapes.get(key);
            if (shape != null && shape.length == 3) {
                weights.add(new Weight(key, shape[2], shape[0] * shape[1], List.of(), Weight.Order.OUTPUTS_FIRST,
                        "", false));
            } else if (shape != null) {
                weights.add(new Weight(key, shape[0], shape[1], List.of(), Weight.Order.ROWS, "", false));
            }
        }
        return weights;
    }
}
