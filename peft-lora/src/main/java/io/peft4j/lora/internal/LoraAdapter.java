package io.peft4j.lora.internal;

import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.StoredForm;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.init.LoraInit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** LoRA's layers. Where a part of the base belongs to them, a file gets plain LoRA of twice the rank. */
final class LoraAdapter extends LayeredAdapter {
    private final LoraConfig config;

    LoraAdapter(LoraConfig config, List<AdapterLayer> layers) {
        super(config, layers);
        this.config = config;
    }

    @Override
    public List<Integer> invocation() {
        return config.invocationTokens();
    }

    private Stream<LoraLayer> plainLayers() {
        return layers().stream().filter(LoraLayer.class::isInstance).map(LoraLayer.class::cast);
    }

    @Override
    public StoredForm stored() {
        StoredForm whole = super.stored();
        LoraInit.BasePart part = config.initialization().basePart();
        if (part == LoraInit.BasePart.NONE || part == LoraInit.BasePart.WHOLE) {
            return whole;
        }
        Map<String, TensorData> tensors = new LinkedHashMap<>(whole.tensors());
        plainLayers().forEach(layer -> tensors.putAll(layer.converted()));
        return new StoredForm(converted(config), tensors);
    }

    /** Twice the rank, and the alpha with which the scaling is the same. */
    private static LoraConfig converted(LoraConfig config) {
        double factor = config.rsLora() ? Math.sqrt(2) : 2;
        Map<String, Integer> ranks = new LinkedHashMap<>();
        config.rankPattern().forEach((key, rank) -> ranks.put(key, 2 * rank));
        Map<String, Double> alphas = new LinkedHashMap<>();
        config.alphaPattern().forEach((key, alpha) -> alphas.put(key, factor * alpha));
        return config.toBuilder().rank(2 * config.rank()).alpha(factor * config.alpha()).rankPattern(ranks)
                .alphaPattern(alphas).initialization(LoraInit.KAIMING).build();
    }

    @Override
    public void closeDerived() {
        plainLayers().flatMap(LoraLayer::start).forEach(INDArray::close);
    }
}
