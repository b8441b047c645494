package io.peft4j.eval.task;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.io.internal.Sha256;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatTemplate;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Tells whether two models would give the same answers, without their files: a digest of the sizes, the chat template,
 * the logits after a probe text, and the tensors of the active adapters. It is the same for the same model from another
 * place, and another one for other weights, another precision or kernels that round otherwise.
 */
final class ModelFingerprint {
    private static final String PROBE = "At 9:30 the clerk read 1,204 letters; \"Who wrote this?\" she asked.\n";
    private static final int LONGEST_PROBE = 32;

    private final Sha256 sha = new Sha256();

    private ModelFingerprint() {
    }

    /** 64 hexadecimal digits. */
    static String of(LanguageModel model) {
        ModelFingerprint fingerprint = new ModelFingerprint();
        ModelDescription description = model.network().description();
        fingerprint.add(description.modelType());
        fingerprint.add(List.of(description.vocabularySize(), description.hiddenSize(), description.layers(),
                description.maxPositions(), description.activationType(), description.parameters()).toString());
        fingerprint.add(model.chatTemplate().map(ChatTemplate::source).orElse(""));
        int[] probe = model.tokenizer().encode(PROBE);
        probe = java.util.Arrays.copyOf(probe, Math.min(probe.length, LONGEST_PROBE));
        fingerprint.add(java.util.Arrays.toString(probe));
        fingerprint.addLogits(model, probe);
        if (model instanceof PeftModel adapted) {
            adapted.activeAdapters().forEach(name -> fingerprint.addAdapter(adapted, name));
        }
        return fingerprint.sha.hex();
    }

    /** 64 hexadecimal digits for texts. */
    static String of(List<String> texts) {
        ModelFingerprint fingerprint = new ModelFingerprint();
        texts.forEach(fingerprint::add);
        return fingerprint.sha.hex();
    }

    private void add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        sha.add(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array()).add(bytes);
    }

    private void add(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length);
        bytes.asFloatBuffer().put(values);
        sha.add(bytes.array());
    }

    private void addLogits(LanguageModel model, int[] probe) {
        PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(probe)));
        try (ModelLease lease = model.lease();
                Workspace workspace = model.engine().workspace(Priority.WORK);
                Pass pass = Pass.evaluation(lease, workspace, batch)) {
            add(pass.logits(pass.batch().lastRows()));
        }
    }

    private void addAdapter(PeftModel model, String name) {
        add(model.adapter(name).config().toJson());
        model.adapter(name).tensors().forEach(tensor -> add(Arrays.toFloats(tensor.parameter().value())));
    }
}
