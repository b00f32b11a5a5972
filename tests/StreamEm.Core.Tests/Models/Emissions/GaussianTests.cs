using StreamEm.Core.Tests.Contracts;

namespace StreamEm.Core.Tests.Models.Emissions;

[ContractOf("gaussian_mixture")]
public sealed class FullGaussianInMixture : MixtureOf<FullGaussians>;

[ContractOf("mixture")]
public sealed class FullGaussianInProduct : ProductOf<FullGaussians>;

[ContractOf("hidden_markov")]
public sealed class FullGaussianInHiddenMarkov : HiddenMarkovOf<FullGaussians>;

public sealed class TiedGaussianInMixture : MixtureOf<TiedGaussians>;

public sealed class TiedGaussianInProduct : ProductOf<TiedGaussians>;

public sealed class TiedGaussianInHiddenMarkov : HiddenMarkovOf<TiedGaussians>;

public sealed class DiagonalGaussianInMixture : MixtureOf<DiagonalGaussians>;

public sealed class DiagonalGaussianInProduct : ProductOf<DiagonalGaussians>;

public sealed class DiagonalGaussianInHiddenMarkov : HiddenMarkovOf<DiagonalGaussians>;

public sealed class SphericalGaussianInMixture : MixtureOf<SphericalGaussians>;

public sealed class SphericalGaussianInProduct : ProductOf<SphericalGaussians>;

public sealed class SphericalGaussianInHiddenMarkov : HiddenMarkovOf<SphericalGaussians>;
