-- Verifies bearer tokens with OpenSSL, called through LuaJIT's FFI. What depends
-- on the key alone is done once, and verified tokens are kept until they expire.
local ffi = require "ffi"
local cjson = require "cjson.safe"
local lrucache = require "resty.lrucache"
local decode = require("ngx.base64").decode_base64url
local C = ffi.C

ffi.cdef [[
typedef struct bio_st BIO;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct evp_md_ctx_st EVP_MD_CTX;
BIO *BIO_new_mem_buf(const void *data, int length);
EVP_PKEY *PEM_read_bio_PUBKEY(BIO *from, EVP_PKEY **key, void *callback, void *user);
const EVP_MD *EVP_sha256(void);
unsigned char *SHA256(const unsigned char *data, size_t length, unsigned char *digest);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *key, void *engine);
int EVP_PKEY_verify_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_CTX_set_rsa_padding(EVP_PKEY_CTX *ctx, int padding);
int EVP_PKEY_CTX_set_signature_md(EVP_PKEY_CTX *ctx, const EVP_MD *digest);
int EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *signature, size_t length, const unsigned char *digest, size_t digest_length);
EVP_MD_CTX *EVP_MD_CTX_new(void);
int EVP_MD_CTX_reset(EVP_MD_CTX *ctx);
int EVP_DigestVerifyInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **key_ctx, const EVP_MD *digest, void *engine, EVP_PKEY *key);
int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *signature, size_t length, const unsigned char *data, size_t data_length);
void ERR_clear_error(void);
]]

local algorithm = "{{.Algorithm}}"
local issuer = "{{.Issuer}}"
local audience = "{{.Audience}}"

local function must(ok, what)
    if not ok then
        error(what)
    end
    return ok
end

local file = must(io.open("{{.KeyFile}}"), "no key")
local pem = file:read("*a")
file:close()
local key = C.PEM_read_bio_PUBKEY(C.BIO_new_mem_buf(pem, #pem), nil, nil, nil)
must(key ~= nil, "not a public key")

-- signed says whether signature is that of input.
local signed
if algorithm == "EdDSA" then
    local ctx = C.EVP_MD_CTX_new()
    signed = function(signature, input)
        C.EVP_MD_CTX_reset(ctx)
        return C.EVP_DigestVerifyInit(ctx, nil, nil, nil, key) == 1
            and C.EVP_DigestVerify(ctx, signature, #signature, input, #input) == 1
    end
else
    local ctx = C.EVP_PKEY_CTX_new(key, nil)
    must(C.EVP_PKEY_verify_init(ctx) == 1, "the key cannot verify")
    if algorithm == "RS256" then
        must(C.EVP_PKEY_CTX_set_rsa_padding(ctx, 1) == 1, "no PKCS #1 v1.5") -- RSA_PKCS1_PADDING
    end
    must(C.EVP_PKEY_CTX_set_signature_md(ctx, C.EVP_sha256()) == 1, "no SHA-256")
    local digest = ffi.new("unsigned char[32]")

    -- integer writes 32 bytes as the INTEGER of ITU-T X.690 section 8.3.
    local function integer(bytes)
        local first = 1
        while first < 32 and bytes:byte(first) == 0 do
            first = first + 1
        end
        bytes = bytes:sub(first)
        if bytes:byte(1) > 127 then
            bytes = "\0" .. bytes
        end
        return "\2" .. string.char(#bytes) .. bytes
    end

    signed = function(signature, input)
        if algorithm == "ES256" then
            -- RFC 7518 section 3.4: r and s, of 32 bytes each.
            if #signature ~= 64 then
                return false
            end
            local both = integer(signature:sub(1, 32)) .. integer(signature:sub(33))
            signature = "\48" .. string.char(#both) .. both
        end
        C.SHA256(input, #input, digest)
        return C.EVP_PKEY_verify(ctx, signature, #signature, digest, 32) == 1
    end
end

local headers = lrucache.new(100) -- of those that name the algorithm
local verified = lrucache.new({{.Verdicts}})

local function verify(token)
    local header, claims, signature = token:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
    if not header then
        return false
    end
    if not headers:get(header) then
        local decoded = cjson.decode(decode(header) or "")
        if type(decoded) ~= "table" or decoded.alg ~= algorithm then
            return false
        end
        headers:set(header, true)
    end
    signature = decode(signature)
    if not signature or not signed(signature, token:sub(1, #header + 1 + #claims)) then
        C.ERR_clear_error()
        return false
    end
    claims = cjson.decode(decode(claims) or "")
    if type(claims) ~= "table" or claims.iss ~= issuer or claims.aud ~= audience then
        return false
    end
    local left = type(claims.exp) == "number" and claims.exp - ngx.now() or 0
    if left <= 0 then
        return false
    end
    verified:set(token, true, left)
    return true
end

local M = {}

function M.check()
    local field = ngx.var.http_authorization
    local token = field and field:sub(1, 7) == "Bearer " and field:sub(8)
    if not token or not (verified:get(token) or verify(token)) then
        return ngx.exit(401)
    end
end

return M
