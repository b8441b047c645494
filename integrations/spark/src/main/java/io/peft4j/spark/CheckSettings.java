package io.peft4j.spark;

import io.peft4j.data.ChatEncoder;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.clean.PiiKind;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.report.CheckPart;
import io.peft4j.models.BaseModel;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** How rows are checked, in the form that travels to executors. */
final class CheckSettings implements Serializable {
    private static final long serialVersionUID = 1L;

    private final ArrayList<String> files;
    private final DataFormat format;
    private final HashSet<PiiKind> pii;
    private final ModelRecipe model;
    private final int maxLength;
    private final int previews;
    private final int mostFindings;

    /**
     * Settings.
     *
     * @param files the names of what is checked
     * @param format its format
     * @param pii the personal data that is looked for; empty: what the plain check looks for
     * @param model whose tokens are counted, if any
     */
    public CheckSettings(List<String> files, DataFormat format, Optional<Set<PiiKind>> pii,
            Optional<ModelRecipe> model, int maxLength, int previews, int mostFindings) {
        this.files = new ArrayList<>(files);
        this.format = format;
        this.pii = pii.map(HashSet::new).orElse(null);
        this.model = model.orElse(null);
        this.maxLength = maxLength;
        this.previews = previews;
        this.mostFindings = mostFindings;
    }

    List<String> files() {
        return files;
    }

    DataFormat format() {
        return format;
    }

    DataFile data(Path name) {
        return DataFile.of(name).withFormat(format);
    }

    PiiDetector detector() {
        return pii == null ? PiiDetector.standard() : PiiDetector.of(pii);
    }

    CheckPart part() {
        return new CheckPart(files, maxLength, previews, mostFindings);
    }

    Optional<SharedModels.Base> base() {
        return Optional.ofNullable(model).map(SharedModels::base);
    }

    static ChatEncoder encoder(BaseModel base) {
        return ChatEncoder.of(base);
    }
}
