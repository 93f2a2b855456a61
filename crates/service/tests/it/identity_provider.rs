//! A small OpenID provider, and as much of GitHub and Google as signing in takes. It keeps to the protocols, unless a test
//! tells it to lie.

use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey};
use openidconnect::{JsonWebKeyId, PkceCodeChallenge, PkceCodeVerifier, PrivateSigningKey as _};
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub const CLIENT: &str = "flagstaff";
pub const SECRET: &str = "shared-secret-of-the-client";
const FIRST_KEY: &str = include_str!("keys/first.pem");
const SECOND_KEY: &str = include_str!("keys/second.pem");

/// What the provider says when it is next asked.
pub struct Says {
    /// Claims of the token; those that are there replace the right ones, `null` takes one away.
    pub claims: Map<String, Json>,
    /// Algorithm in the token's header.
    pub algorithm: &'static str,
    /// Name of the key in the token's header, where it is not the one that signs.
    pub kid: Option<&'static str>,
    /// What it says it signs with.
    pub offers: Json,
    /// Signs with a key that it does not publish.
    pub signs_secretly: bool,
    /// Has changed its key.
    pub has_new_key: bool,
    /// What GitHub lists.
    pub emails: Json,
    /// Whom Google gave an access token to.
    pub token_audience: String,
}

/// A browser on its way: what it was sent to the provider with.
#[derive(Clone)]
pub struct Arrival {
    pub state: String,
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

#[derive(Clone)]
pub struct IdentityProvider {
    pub issuer: String,
    parts: Arc<Mutex<Parts>>,
    keys: Arc<CurveKeys>,
}

/// Keys beside those of RSA, which come from files because making one takes seconds.
struct CurveKeys {
    p256: KeyPair,
    p384: KeyPair,
    ed25519: KeyPair,
}

impl CurveKeys {
    fn new() -> Self {
        let key = |algorithm| KeyPair::generate_for(algorithm).unwrap();
        Self {
            p256: key(&rcgen::PKCS_ECDSA_P256_SHA256),
            p384: key(&rcgen::PKCS_ECDSA_P384_SHA384),
            ed25519: key(&rcgen::PKCS_ED25519),
        }
    }

    fn published(&self) -> [Json; 3] {
        let on_curve = |key: &KeyPair, curve: &str, kid: &str| {
            // A byte says that both coordinates follow.
            let coordinates = &key.public_key_raw()[1..];
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let (x, y) = (base64(x, false), base64(y, false));
            json!({ "kty": "EC", "use": "sig", "crv": curve, "kid": kid, "x": x, "y": y })
        };
        let x = base64(self.ed25519.public_key_raw(), false);
        [
            on_curve(&self.p256, "P-256", "p256"),
            on_curve(&self.p384, "P-384", "p384"),
            json!({ "kty": "OKP", "use": "sig", "crv": "Ed25519", "kid": "ed25519", "x": x }),
        ]
    }
}

struct Parts {
    says: Says,
    codes: HashMap<String, Arrival>,
    given_out: usize,
}

impl IdentityProvider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let says = Says {
            claims: Map::new(),
            algorithm: "RS256",
            kid: None,
            offers: json!([
                "none", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384",
                "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519"
            ]),
            signs_secretly: false,
            has_new_key: false,
            emails: json!([{ "email": "grace@example.com", "primary": true, "verified": true }]),
            token_audience: CLIENT.to_owned(),
        };
        let provider = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            parts: Arc::new(Mutex::new(Parts {
                says,
                codes: HashMap::new(),
                given_out: 0,
            })),
            keys: Arc::new(CurveKeys::new()),
        };
        let itself = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let itself = itself.clone();
                tokio::spawn(async move { itself.answer(stream).await });
            }
        });
        provider
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap()
    }

    /// Tells the provider what to say from now on.
    pub fn tell(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.parts().says);
    }

    /// Sets one claim of the tokens to come.
    pub fn claim(&self, name: &str, value: impl Into<Json>) {
        self.parts()
            .says
            .claims
            .insert(name.to_owned(), value.into());
    }

    /// The person agrees: gives the code that the browser brings back.
    pub fn agree(&self, url: &str) -> (Arrival, String) {
        let url: url::Url = url.parse().unwrap();
        let sent: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(sent["client_id"], CLIENT);
        assert_eq!(sent["code_challenge_method"], "S256");
        let arrival = Arrival {
            state: sent["state"].clone(),
            nonce: sent.get("nonce").cloned().unwrap_or_default(),
            challenge: sent["code_challenge"].clone(),
            redirect_uri: sent["redirect_uri"].clone(),
        };
        (arrival.clone(), self.code_for(&arrival))
    }

    /// A code for a browser that arrived.
    pub fn code_for(&self, arrival: &Arrival) -> String {
        let mut parts = self.parts();
        parts.given_out += 1;
        let code = format!("code-{}", parts.given_out);
        parts.codes.insert(code.clone(), arrival.clone());
        code
    }

    async fn answer(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 || line == "\r\n" {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        let Some(first) = lines.first() else { return };
        let header = |name: &str| {
            lines.iter().find_map(|line| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        let length = header("content-length").map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let path = first.split(' ').nth(1).unwrap();
        let form: HashMap<String, String> =
            url::form_urlencoded::parse(&body).into_owned().collect();
        let (status, json) = self.respond(path, &form, header("authorization").as_deref());
        let text = json.to_string();
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        );
        let _ = stream.get_mut().write_all(answer.as_bytes()).await;
    }

    fn respond(
        &self,
        path: &str,
        form: &HashMap<String, String>,
        authorization: Option<&str>,
    ) -> (u16, Json) {
        let issuer = &self.issuer;
        match path.split('?').next().unwrap() {
            "/.well-known/openid-configuration" => (
                200,
                json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "userinfo_endpoint": format!("{issuer}/userinfo"),
                    "jwks_uri": format!("{issuer}/keys"),
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": self.parts().says.offers,
                }),
            ),
            "/keys" => (200, self.published_keys()),
            "/token" => self.token(form, authorization),
            "/tokeninfo" => {
                let audience = self.parts().says.token_audience.clone();
                let grace = json!({ "aud": audience, "sub": "g-1", "email": "grace@example.com",
                    "email_verified": "true" });
                (200, grace)
            }
            "/userinfo" => (
                200,
                json!({ "sub": "g-1", "given_name": "Grace", "hd": "example.com" }),
            ),
            "/login/oauth/access_token" => self.github_token(form),
            "/user" if authorization == Some("Bearer gh-token") => (
                200,
                json!({ "id": 77, "login": "grace", "name": "Grace Brewster Hopper" }),
            ),
            "/user/emails" if authorization == Some("Bearer gh-token") => {
                (200, self.parts().says.emails.clone())
            }
            _ => (404, json!({ "error": "nothing here" })),
        }
    }

    fn published_keys(&self) -> Json {
        let key = key(self.parts().says.has_new_key);
        let set = CoreJsonWebKeySet::new(vec![key.as_verification_key()]);
        let mut set = serde_json::to_value(set).unwrap();
        let keys = set["keys"].as_array_mut().unwrap();
        keys.extend(self.keys.published());
        set
    }

    fn github_token(&self, form: &HashMap<String, String>) -> (u16, Json) {
        let refused = (200, json!({ "error": "bad_verification_code" }));
        if form["client_secret"] != SECRET {
            return refused;
        }
        if form["code"] == "from-a-dashboard" {
            return (
                200,
                json!({ "access_token": "gh-token", "token_type": "bearer" }),
            );
        }
        match self.parts().codes.remove(&form["code"]) {
            Some(arrival) if fits(&arrival, form) => (
                200,
                json!({ "access_token": "gh-token", "token_type": "bearer" }),
            ),
            _ => refused,
        }
    }

    fn token(&self, form: &HashMap<String, String>, authorization: Option<&str>) -> (u16, Json) {
        let refused = (400, json!({ "error": "invalid_grant" }));
        let basic = format!(
            "Basic {}",
            base64(format!("{CLIENT}:{SECRET}").as_bytes(), true)
        );
        if authorization.map(|text| text.trim_end_matches('=')) != Some(basic.trim_end_matches('='))
        {
            return (401, json!({ "error": "invalid_client" }));
        }
        let mut parts = self.parts();
        let Some(arrival) = parts.codes.remove(&form["code"]) else {
            return refused;
        };
        if !fits(&arrival, form) {
            return refused;
        }
        let token = self.id_token(&parts.says, &arrival);
        (
            200,
            json!({ "access_token": "opaque", "token_type": "Bearer", "id_token": token }),
        )
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the library that reads the token goes by the machine's clock"
    )]
    fn id_token(&self, says: &Says, arrival: &Arrival) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let mut claims = json!({
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "person-1",
            "iat": now,
            "exp": now + 300,
            "nonce": arrival.nonce,
            "email": "grace@example.com",
            "email_verified": true,
            "given_name": "Grace",
            "family_name": "Hopper",
        });
        let members = claims.as_object_mut().unwrap();
        for (name, value) in &says.claims {
            if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
        let rsa = if says.has_new_key { "second" } else { "first" };
        let kid = says.kid.unwrap_or(match says.algorithm {
            "ES256" => "p256",
            "ES384" => "p384",
            "EdDSA" => "ed25519",
            _ => rsa,
        });
        let header = json!({ "alg": says.algorithm, "typ": "JWT", "kid": kid });
        let part = |json: &Json| base64(json.to_string().as_bytes(), false);
        let text = format!("{}.{}", part(&header), part(&claims));
        let signature = self.signature(says, &text);
        format!("{text}.{}", base64(&signature, false))
    }
}

impl IdentityProvider {
    fn signature(&self, says: &Says, text: &str) -> Vec<u8> {
        use CoreJwsSigningAlgorithm as Algorithm;
        let key = key(says.has_new_key != says.signs_secretly);
        let rsa = |algorithm| key.sign(&algorithm, text.as_bytes()).unwrap();
        match says.algorithm {
            "none" => Vec::new(),
            // What the client and the provider both know, or what everybody knows.
            "HS256" => hmac_of(SECRET.as_bytes(), text),
            "HS384" | "HS512" => {
                let known = serde_json::to_value(key.as_verification_key()).unwrap();
                hmac_of(known["n"].as_str().unwrap().as_bytes(), text)
            }
            "RS256" => rsa(Algorithm::RsaSsaPkcs1V15Sha256),
            "RS384" => rsa(Algorithm::RsaSsaPkcs1V15Sha384),
            "RS512" => rsa(Algorithm::RsaSsaPkcs1V15Sha512),
            "PS256" => rsa(Algorithm::RsaSsaPssSha256),
            "PS384" => rsa(Algorithm::RsaSsaPssSha384),
            "PS512" => rsa(Algorithm::RsaSsaPssSha512),
            "ES256" => without_der(&self.keys.p256.sign(text.as_bytes()).unwrap(), 32),
            "ES384" => without_der(&self.keys.p384.sign(text.as_bytes()).unwrap(), 48),
            "EdDSA" => self.keys.ed25519.sign(text.as_bytes()).unwrap(),
            other => unreachable!("nothing signs with {other}"),
        }
    }
}

fn hmac_of(secret: &[u8], text: &str) -> Vec<u8> {
    use hmac::{KeyInit as _, Mac as _};
    let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.chain_update(text.as_bytes())
        .finalize()
        .into_bytes()
        .to_vec()
}

/// Both numbers of a signature, each in so many bytes; DER has them in a sequence, without leading zeros and with one
/// that says that a number is positive.
fn without_der(signature: &[u8], length: usize) -> Vec<u8> {
    let mut rest = &signature[2..];
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let (number, after) = rest[2..].split_at(usize::from(rest[1]));
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        numbers.extend(vec![0; length - number.len()]);
        numbers.extend(number);
        rest = after;
    }
    numbers
}

/// The code is used by whom it was given to.
fn fits(arrival: &Arrival, form: &HashMap<String, String>) -> bool {
    let verifier = PkceCodeVerifier::new(form["code_verifier"].clone());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    challenge.as_str() == arrival.challenge && form["redirect_uri"] == arrival.redirect_uri
}

fn key(is_second: bool) -> CoreRsaPrivateSigningKey {
    let (pem, name) = if is_second {
        (SECOND_KEY, "second")
    } else {
        (FIRST_KEY, "first")
    };
    CoreRsaPrivateSigningKey::from_pem(pem, Some(JsonWebKeyId::new(name.to_owned()))).unwrap()
}

/// Base 64 without padding, in the alphabet of headers or of addresses.
fn base64(bytes: &[u8], is_header: bool) -> String {
    let last = if is_header { b"+/" } else { b"-_" };
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let alphabet: Vec<u8> = letters.iter().chain(last).copied().collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..=chunk.len() {
            let index = bits >> (18 - 6 * at) & 63;
            text.push(char::from(alphabet[usize::try_from(index).unwrap()]));
        }
    }
    text
}
