package io.peft4j.core.peft.file;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.io.SmallFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Who made an adapter: its folder has a list of the SHA-256 of each of its files ({@value #MANIFEST}, as {@code
 * sha256sum} writes it) and an Ed25519 signature of that list ({@value #SIGNATURE}, 64 bytes).
 *
 * <pre>{@code
 * AdapterSignature.sign(Path.of("hr"), Path.of("release.pem"));
 * AdapterSignature trusted = AdapterSignature.trusting(Path.of("release.pub"));
 * PeftModel hr = base.withAdapter(Path.of("hr"), trusted);
 * trusted.load(Path.of("sales"), verified -> hr.loadAdapter("sales", verified));
 * }</pre>
 *
 * <p>What is loaded is what was verified: the files are copied to a folder that only this user may enter, the copies
 * are compared with the list, and the adapter is loaded from them. Keys are PEM files, of PKCS#8 and X.509, as {@code
 * openssl genpkey -algorithm ed25519} and {@code openssl pkey -pubout} write them.
 */
public final class AdapterSignature {
    /** The list of what is signed. */
    public static final String MANIFEST = "adapter_manifest.sha256";
    /** The signature of the list. */
    public static final String SIGNATURE = "adapter_manifest.sha256.sig";
    private static final String ALGORITHM = "Ed25519";
    private static final Pattern LINE = Pattern.compile("([0-9a-f]{64})  (.+)");

    private final Path keyFile;
    private final PublicKey key;

    private AdapterSignature(Path keyFile, PublicKey key) {
        this.keyFile = keyFile;
        this.key = key;
    }

    /**
     * Trusts what was signed with the private key of a public one.
     *
     * @throws FileFormatException when the file is no public key of Ed25519 in PEM
     * @throws UncheckedIOException when it cannot be read
     */
    public static AdapterSignature trusting(Path publicKey) {
        return new AdapterSignature(publicKey, read(publicKey, "PUBLIC",
                (factory, der) -> factory.generatePublic(new X509EncodedKeySpec(der))));
    }

    /**
     * Signs all files of an adapter's folder and of those below it; a signature that is there is replaced.
     *
     * @return how many files were signed
     * @throws FileFormatException when the folder holds no adapter or something that is no plain file, or the key is no
     *     private key of Ed25519 in PEM, or lies in the folder
     * @throws UncheckedIOException when a file cannot be read or written
     */
    public static int sign(Path folder, Path privateKey) {
        PrivateKey key = read(privateKey, "PRIVATE",
                (factory, der) -> factory.generatePrivate(new PKCS8EncodedKeySpec(der)));
        AdapterCheckpoint.existing(folder, AdapterCheckpoint.CONFIG_FILE);
        if (privateKey.toAbsolutePath().normalize().startsWith(folder.toAbsolutePath().normalize())) {
            throw new FileFormatException(privateKey, "is a private key inside of the adapter's folder, which others "
                    + "will get; move it elsewhere");
        }
        StringBuilder list = new StringBuilder();
        Map<String, Path> files = files(folder);
        files.forEach((name, file) -> list.append(Sha256.of(file)).append("  ").append(name).append('\n'));
        byte[] manifest = list.toString().getBytes(StandardCharsets.UTF_8);
        byte[] signature;
        try {
            Signature signing = Signature.getInstance(ALGORITHM);
            signing.initSign(key);
            signing.update(manifest);
            signature = signing.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a key of " + ALGORITHM + " signs", e);
        }
        Map<Path, AtomicFiles.Content> written = new LinkedHashMap<>();
        written.put(folder.resolve(MANIFEST), out -> out.write(manifest));
        written.put(folder.resolve(SIGNATURE), out -> out.write(signature));
        AtomicFiles.writeTogether(written);
        return files.size();
    }

    /**
     * Verifies that a folder holds what was signed with the trusted key, and nothing else.
     *
     * @return how many files were signed
     * @throws FileFormatException when it does not; the message says what to do
     * @throws UncheckedIOException when a file cannot be read
     */
    public int verify(Path folder) {
        Map<String, String> signed = signed(folder);
        return onCopy(folder, signed, copy -> signed.size());
    }

    /**
     * Loads an adapter as it was signed.
     *
     * @param loading gets a verified copy of the folder, which goes when it returns
     * @throws FileFormatException as {@link #verify} throws it, or when it is made of adapters that lie elsewhere
     * @throws UncheckedIOException when a file cannot be read or copied
     */
    public <T> T load(Path folder, Function<Path, T> loading) {
        return onCopy(folder, signed(folder), copy -> {
            List<String> parts = AdapterCheckpoint.readConfig(copy).parts();
            for (String part : parts) {
                // Where it is in the folder, the one beside it is not looked for.
                boolean beside = part.startsWith("../") && parts.contains(part.substring(3));
                if (!beside && (!part.matches("[\\w-][\\w.-]*") || !Files.isDirectory(copy.resolve(part)))) {
                    throw new FileFormatException(folder, "is made of other adapters, and '" + part + "' is no folder "
                            + "in it, so that it was not signed; load it and save it, which puts them into its "
                            + "folder, and sign that");
                }
            }
            return loading.apply(copy);
        });
    }

    /** The hashes by name, where the trusted key has signed them. */
    private Map<String, String> signed(Path folder) {
        for (String name : List.of(MANIFEST, SIGNATURE)) {
            if (!Files.isRegularFile(folder.resolve(name))) {
                throw new FileFormatException(folder, "is not signed: it has no " + name + ", and adapters are to be "
                        + "signed with the private key of " + keyFile + "; sign it with 'peft4j adapter sign'");
            }
        }
        byte[] manifest = SmallFiles.read(folder.resolve(MANIFEST), SmallFiles.CONFIGURATION);
        if (!isSigned(manifest, SmallFiles.read(folder.resolve(SIGNATURE), SmallFiles.CONFIGURATION))) {
            throw new FileFormatException(folder, "was signed with another key than that of " + keyFile + ", or its "
                    + MANIFEST + " was changed since; ask who made it for the public key, or sign it again");
        }
        Map<String, String> signed = new TreeMap<>();
        new String(manifest, StandardCharsets.UTF_8).lines().forEach(line -> {
            Matcher entry = LINE.matcher(line);
            if (!entry.matches()) {
                throw new FileFormatException(folder.resolve(MANIFEST), "is no list of hashes and names; sign the "
                        + "adapter again");
            }
            signed.put(entry.group(2), entry.group(1));
        });
        return signed;
    }

    private boolean isSigned(byte[] manifest, byte[] signature) {
        try {
            Signature check = Signature.getInstance(ALGORITHM);
            check.initVerify(key);
            check.update(manifest);
            return check.verify(signature);
        } catch (SignatureException e) {
            // Of another length.
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a key of " + ALGORITHM + " verifies", e);
        }
    }

    private static <T> T onCopy(Path folder, Map<String, String> signed, Function<Path, T> use) {
        Map<String, Path> files = files(folder);
        requireNone(folder, "lacks files that were signed: ", signed.keySet(), files.keySet(), "get it again");
        requireNone(folder, "has files that were not signed: ", files.keySet(), signed.keySet(), "remove them");
        Path own = null;
        try {
            own = Files.createTempDirectory("peft4j-adapter");
            Path copy = own.resolve("adapter");
            for (Map.Entry<String, Path> file : files.entrySet()) {
                Path target = copy.resolve(file.getKey());
                Files.createDirectories(target.getParent());
                try (InputStream in = Files.newInputStream(file.getValue(), LinkOption.NOFOLLOW_LINKS)) {
                    Files.copy(in, target);
                }
                if (!Sha256.of(target).equals(signed.get(file.getKey()))) {
                    throw new FileFormatException(folder, "'" + file.getKey() + "' is not what was signed; get the "
                            + "adapter again, or sign it again if the change is yours");
                }
            }
            return use.apply(copy);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy " + folder + " to verify it: " + AtomicFiles.reason(e), e);
        } finally {
            if (own != null) {
                AtomicFiles.deleteOrWarn(own);
            }
        }
    }

    private static void requireNone(Path folder, String what, Set<String> these, Set<String> without, String mend) {
        Set<String> found = new TreeSet<>(these);
        found.removeAll(without);
        if (!found.isEmpty()) {
            throw new FileFormatException(folder, what + found.stream().limit(20).toList() + "; " + mend
                    + ", or sign it again if the change is yours");
        }
    }

    /** The files below a folder by their names from there, but for the signature. */
    private static Map<String, Path> files(Path folder) {
        Map<String, Path> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder.toRealPath())) {
            Path root = folder.toRealPath();
            for (Path file : (Iterable<Path>) all::iterator) {
                String name = root.relativize(file).toString().replace('\\', '/');
                if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS) || name.equals(MANIFEST)
                        || name.equals(SIGNATURE)) {
                    continue;
                }
                if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || name.chars().anyMatch(c -> c < ' ')) {
                    throw new FileFormatException(folder,
                            "'" + name + "' is a link or no plain file, which is not signed; "
                                    + "put the file itself there ('cp -rL' copies a folder so)");
                }
                files.put(name, file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot look into " + folder + ": " + AtomicFiles.reason(e), e);
        }
        return files;
    }

    /** Makes a key of its bytes. */
    @FunctionalInterface
    private interface Decoder<K extends Key> {
        K decode(KeyFactory factory, byte[] der) throws GeneralSecurityException;
    }

    private static <K extends Key> K read(Path file, String kind, Decoder<K> decoder) {
        String text = new String(SmallFiles.read(file, SmallFiles.CONFIGURATION), StandardCharsets.US_ASCII);
        Matcher pem = Pattern.compile("-----BEGIN " + kind + " KEY-----([^-]*)-----END " + kind + " KEY-----")
                .matcher(text);
        try {
            if (pem.find()) {
                return decoder.decode(KeyFactory.getInstance(ALGORITHM), Base64.getMimeDecoder().decode(pem.group(1)));
            }
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            // Its text is secret, and what a decoder says may quote it.
        }
        throw new FileFormatException(file, "is no " + kind.toLowerCase(Locale.ROOT) + " key of Ed25519 in PEM; "
                + "'openssl genpkey -algorithm ed25519 -out K.pem' makes a private one, and 'openssl pkey -in K.pem "
                + "-pubout -out K.pub' the public one of it");
    }
}
